package standin

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"math/rand/v2"
	"path"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/klauspost/compress/zstd"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

type s3Uploader struct {
	Region            string `mapstructure:"region"`
	Bucket            string `mapstructure:"s3_bucket"`
	BasePrefix        string `mapstructure:"s3_base_prefix"`
	Prefix            string `mapstructure:"s3_prefix"`
	PartitionFormat   string `mapstructure:"s3_partition_format"`
	PartitionTimezone string `mapstructure:"s3_partition_timezone"`
	FilePrefix        string `mapstructure:"file_prefix"`
	Endpoint          string `mapstructure:"endpoint"`
	PathStyle         bool   `mapstructure:"s3_force_path_style"`
	Compression       string `mapstructure:"compression"`
}

type s3ExporterConfig struct {
	Uploader  s3Uploader `mapstructure:"s3uploader"`
	Marshaler string     `mapstructure:"marshaler"`
}

type s3Exporter struct {
	config *s3ExporterConfig
	signal string
	client *s3.Client
}

// encode is a request in both encodings.
type encode struct{ json, proto func() ([]byte, error) }

// NewS3ExporterFactory writes an object a batch as awss3exporter does: its keys, and Content-Encoding when compressed.
func NewS3ExporterFactory() exporter.Factory {
	defaults := func() component.Config {
		return &s3ExporterConfig{
			Marshaler: "otlp_json",
			Uploader:  s3Uploader{Region: "us-east-1", PartitionFormat: minuteFormat},
		}
	}
	open := func(config component.Config, signal string) *s3Exporter {
		return &s3Exporter{config: config.(*s3ExporterConfig), signal: signal}
	}
	return exporter.NewFactory(
		component.MustNewType("awss3"),
		defaults,
		exporter.WithTraces(func(_ context.Context, _ exporter.Settings, config component.Config) (exporter.Traces, error) {
			return tracesExporter{open(config, "traces")}, nil
		}, component.StabilityLevelAlpha),
		exporter.WithMetrics(func(_ context.Context, _ exporter.Settings, config component.Config) (exporter.Metrics, error) {
			return metricsExporter{open(config, "metrics")}, nil
		}, component.StabilityLevelAlpha),
		exporter.WithLogs(func(_ context.Context, _ exporter.Settings, config component.Config) (exporter.Logs, error) {
			return logsExporter{open(config, "logs")}, nil
		}, component.StabilityLevelAlpha),
	)
}

type tracesExporter struct{ *s3Exporter }

func (out tracesExporter) ConsumeTraces(ctx context.Context, data ptrace.Traces) error {
	return out.put(ctx, encode{
		func() ([]byte, error) { return (&ptrace.JSONMarshaler{}).MarshalTraces(data) },
		func() ([]byte, error) { return (&ptrace.ProtoMarshaler{}).MarshalTraces(data) },
	})
}

type metricsExporter struct{ *s3Exporter }

func (out metricsExporter) ConsumeMetrics(ctx context.Context, data pmetric.Metrics) error {
	return out.put(ctx, encode{
		func() ([]byte, error) { return (&pmetric.JSONMarshaler{}).MarshalMetrics(data) },
		func() ([]byte, error) { return (&pmetric.ProtoMarshaler{}).MarshalMetrics(data) },
	})
}

type logsExporter struct{ *s3Exporter }

func (out logsExporter) ConsumeLogs(ctx context.Context, data plog.Logs) error {
	return out.put(ctx, encode{
		func() ([]byte, error) { return (&plog.JSONMarshaler{}).MarshalLogs(data) },
		func() ([]byte, error) { return (&plog.ProtoMarshaler{}).MarshalLogs(data) },
	})
}

func (out *s3Exporter) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

func (out *s3Exporter) Start(ctx context.Context, _ component.Host) error {
	target := out.config.Uploader
	client, err := openS3(ctx, target.Region, target.Endpoint, target.PathStyle)
	out.client = client
	return err
}

func (out *s3Exporter) Shutdown(context.Context) error { return nil }

func (out *s3Exporter) put(ctx context.Context, request encode) error {
	target := out.config.Uploader
	marshal, suffix := request.json, ".json"
	if out.config.Marshaler == "otlp_proto" {
		marshal, suffix = request.proto, ".binpb"
	}
	body, err := marshal()
	if err != nil {
		return err
	}
	input := &s3.PutObjectInput{Bucket: &target.Bucket}
	var packed bytes.Buffer
	switch target.Compression {
	case "gzip":
		writer := gzip.NewWriter(&packed)
		if _, err = writer.Write(body); err == nil {
			err = writer.Close()
		}
		suffix += ".gz"
	case "zstd":
		writer, _ := zstd.NewWriter(&packed)
		if _, err = writer.Write(body); err == nil {
			err = writer.Close()
		}
		suffix += ".zst"
	default:
		packed.Write(body)
	}
	if err != nil {
		return err
	}
	if target.Compression != "" {
		input.ContentEncoding = aws.String(target.Compression)
	}
	zone := time.Local
	if target.PartitionTimezone != "" {
		if zone, err = time.LoadLocation(target.PartitionTimezone); err != nil {
			return err
		}
	}
	partition, err := strftime(target.PartitionFormat, time.Now().In(zone))
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%s%s_%d%s", target.FilePrefix, out.signal, 100000000+rand.IntN(899999999), suffix)
	input.Key = aws.String(path.Join(target.BasePrefix, target.Prefix, partition, name))
	input.Body = bytes.NewReader(packed.Bytes())
	_, err = out.client.PutObject(ctx, input)
	return err
}
