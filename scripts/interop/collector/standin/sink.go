// Package standin holds components that stand in for those of the Collector's contrib repository that the Go module
// registry does not serve: otlpjsonfilereceiver, awss3receiver and awss3exporter. Types, settings and behaviour are
// those of the originals as far as the checks use them; the decoding, the file watching and the S3 client are the very
// modules that the originals use: pdata, pkg/stanza/fileconsumer and the AWS SDK for Go.
package standin

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
)

// sink is the pipeline of one signal behind a receiver.
type sink struct {
	signal string
	// Decodes a whole document or message and hands it on.
	json  func(ctx context.Context, data []byte) error
	proto func(ctx context.Context, data []byte) error
}

func tracesSink(next consumer.Traces) sink {
	consume := func(decode func([]byte) (ptrace.Traces, error)) func(context.Context, []byte) error {
		return func(ctx context.Context, data []byte) error {
			traces, err := decode(data)
			if err != nil || traces.SpanCount() == 0 {
				return err
			}
			return next.ConsumeTraces(ctx, traces)
		}
	}
	return sink{"traces", consume((&ptrace.JSONUnmarshaler{}).UnmarshalTraces), consume((&ptrace.ProtoUnmarshaler{}).UnmarshalTraces)}
}

func metricsSink(next consumer.Metrics) sink {
	consume := func(decode func([]byte) (pmetric.Metrics, error)) func(context.Context, []byte) error {
		return func(ctx context.Context, data []byte) error {
			metrics, err := decode(data)
			if err != nil || metrics.ResourceMetrics().Len() == 0 {
				return err
			}
			return next.ConsumeMetrics(ctx, metrics)
		}
	}
	return sink{"metrics", consume((&pmetric.JSONUnmarshaler{}).UnmarshalMetrics), consume((&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics)}
}

func logsSink(next consumer.Logs) sink {
	consume := func(decode func([]byte) (plog.Logs, error)) func(context.Context, []byte) error {
		return func(ctx context.Context, data []byte) error {
			logs, err := decode(data)
			if err != nil || logs.ResourceLogs().Len() == 0 {
				return err
			}
			return next.ConsumeLogs(ctx, logs)
		}
	}
	return sink{"logs", consume((&plog.JSONUnmarshaler{}).UnmarshalLogs), consume((&plog.ProtoUnmarshaler{}).UnmarshalLogs)}
}

// newReceiverFactory makes a receiver of all three signals of a function that makes one of a sink.
func newReceiverFactory(
	name string,
	config component.CreateDefaultConfigFunc,
	open func(component.Config, receiver.Settings, sink) (component.Component, error),
) receiver.Factory {
	return receiver.NewFactory(
		component.MustNewType(name),
		config,
		receiver.WithTraces(func(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Traces) (receiver.Traces, error) {
			return open(cfg, set, tracesSink(next))
		}, component.StabilityLevelAlpha),
		receiver.WithMetrics(func(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
			return open(cfg, set, metricsSink(next))
		}, component.StabilityLevelAlpha),
		receiver.WithLogs(func(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
			return open(cfg, set, logsSink(next))
		}, component.StabilityLevelAlpha),
	)
}
