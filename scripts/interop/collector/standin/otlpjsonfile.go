package standin

import (
	"context"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/adapter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"
)

type fileConfig struct {
	fileconsumer.Config `mapstructure:",squash"`
}

type fileReceiver struct {
	input *fileconsumer.Manager
	id    component.ID
}

// NewOTLPJSONFileReceiverFactory reads files of one OTLP JSON request a line, as otlpjsonfilereceiver does: a line that
// is not of the pipeline's signal decodes to nothing, one that cannot be decoded is logged and lost.
func NewOTLPJSONFileReceiverFactory() receiver.Factory {
	config := func() component.Config { return &fileConfig{Config: *fileconsumer.NewConfig()} }
	return newReceiverFactory("otlpjsonfile", config, openFile)
}

func openFile(config component.Config, set receiver.Settings, next sink) (component.Component, error) {
	emit := func(ctx context.Context, lines [][]byte, _ map[string]any, _ int64, _ []int64) error {
		for _, line := range lines {
			if err := next.json(ctx, line); err != nil {
				set.Logger.Error("Cannot decode line", zap.String("signal", next.signal), zap.Error(err))
			}
		}
		return nil
	}
	input, err := config.(*fileConfig).Config.Build(set.TelemetrySettings, emit)
	if err != nil {
		return nil, err
	}
	return &fileReceiver{input: input, id: set.ID}, nil
}

func (file *fileReceiver) Start(ctx context.Context, host component.Host) error {
	client, err := adapter.GetStorageClient(ctx, host, nil, file.id)
	if err != nil {
		return err
	}
	return file.input.Start(client)
}

func (file *fileReceiver) Shutdown(context.Context) error {
	return file.input.Stop()
}
