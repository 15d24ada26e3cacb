package standin

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/klauspost/compress/zstd"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"
)

type s3Downloader struct {
	Region            string `mapstructure:"region"`
	Bucket            string `mapstructure:"s3_bucket"`
	Prefix            string `mapstructure:"s3_prefix"`
	PartitionFormat   string `mapstructure:"s3_partition_format"`
	PartitionTimezone string `mapstructure:"s3_partition_timezone"`
	FilePrefix        string `mapstructure:"file_prefix"`
	Endpoint          string `mapstructure:"endpoint"`
	PathStyle         bool   `mapstructure:"s3_force_path_style"`
}

type s3ReceiverConfig struct {
	StartTime  string       `mapstructure:"starttime"`
	EndTime    string       `mapstructure:"endtime"`
	Downloader s3Downloader `mapstructure:"s3downloader"`
}

type s3Receiver struct {
	config *s3ReceiverConfig
	logger *zap.Logger
	next   sink
	cancel context.CancelFunc
}

// NewS3ReceiverFactory reads a window of a bucket as awss3receiver does: step by step from the unrounded start, a list
// by prefix for each, every object whole, one batch an object; the first failure ends the run.
func NewS3ReceiverFactory() receiver.Factory {
	defaults := func() component.Config {
		return &s3ReceiverConfig{Downloader: s3Downloader{Region: "us-east-1", PartitionFormat: minuteFormat}}
	}
	return newReceiverFactory("awss3", defaults, func(config component.Config, set receiver.Settings, next sink) (component.Component, error) {
		return &s3Receiver{config: config.(*s3ReceiverConfig), logger: set.Logger, next: next}, nil
	})
}

func (reader *s3Receiver) Start(context.Context, component.Host) error {
	ctx, cancel := context.WithCancel(context.Background())
	reader.cancel = cancel
	go func() {
		err := reader.readAll(ctx)
		reader.logger.Info("Finished reading telemetry", zap.String("signal", reader.next.signal), zap.Error(err))
	}()
	return nil
}

func (reader *s3Receiver) Shutdown(context.Context) error {
	if reader.cancel != nil {
		reader.cancel()
	}
	return nil
}

func (reader *s3Receiver) readAll(ctx context.Context) error {
	source := reader.config.Downloader
	client, err := openS3(ctx, source.Region, source.Endpoint, source.PathStyle)
	if err != nil {
		return err
	}
	zone := time.Local
	if source.PartitionTimezone != "" {
		if zone, err = time.LoadLocation(source.PartitionTimezone); err != nil {
			return err
		}
	}
	start, err := parseTime(reader.config.StartTime)
	if err != nil {
		return err
	}
	end, err := parseTime(reader.config.EndTime)
	if err != nil {
		return err
	}
	step, err := findStep(source.PartitionFormat)
	if err != nil {
		return err
	}
	for at := start; at.Before(end); at = at.Add(step) {
		partition, err := strftime(source.PartitionFormat, at.In(zone))
		if err != nil {
			return err
		}
		prefix := partition + "/" + source.FilePrefix + reader.next.signal + "_"
		if source.Prefix != "" {
			prefix = source.Prefix + "/" + prefix
		}
		if err := reader.readPartition(ctx, client, prefix); err != nil {
			return err
		}
	}
	return nil
}

func (reader *s3Receiver) readPartition(ctx context.Context, client *s3.Client, prefix string) error {
	bucket := &reader.config.Downloader.Bucket
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, object := range page.Contents {
			answer, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: object.Key})
			if err != nil {
				return err
			}
			data, err := io.ReadAll(answer.Body)
			if err = errors.Join(err, answer.Body.Close()); err != nil {
				return err
			}
			if err := reader.decode(ctx, *object.Key, data); err != nil {
				return err
			}
		}
	}
	return nil
}

func (reader *s3Receiver) decode(ctx context.Context, key string, data []byte) error {
	var err error
	if name, found := strings.CutSuffix(key, ".gz"); found {
		unzip, openErr := gzip.NewReader(bytes.NewReader(data))
		if openErr != nil {
			return openErr
		}
		if data, err = io.ReadAll(unzip); err != nil {
			return err
		}
		key = name
	} else if name, found := strings.CutSuffix(key, ".zst"); found {
		decoder, openErr := zstd.NewReader(bytes.NewReader(data))
		if openErr != nil {
			return openErr
		}
		defer decoder.Close()
		if data, err = io.ReadAll(decoder); err != nil {
			return err
		}
		key = name
	}
	switch {
	case strings.HasSuffix(key, ".json"):
		return reader.next.json(ctx, data)
	case strings.HasSuffix(key, ".binpb"):
		return reader.next.proto(ctx, data)
	}
	reader.logger.Warn("Unsupported file format", zap.String("key", key))
	return nil
}

func parseTime(text string) (time.Time, error) {
	var failures []error
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04", time.DateOnly} {
		at, err := time.Parse(layout, text)
		if err == nil {
			return at, nil
		}
		failures = append(failures, err)
	}
	return time.Time{}, errors.Join(failures...)
}

// findStep tells a format with minutes from one that ends at the hour.
func findStep(format string) (time.Duration, error) {
	at := time.Date(2026, 1, 1, 11, 30, 0, 0, time.UTC)
	base, err := strftime(format, at)
	if err != nil {
		return 0, err
	}
	for _, step := range []time.Duration{time.Minute, time.Hour} {
		if moved, _ := strftime(format, at.Add(step)); moved != base {
			return step, nil
		}
	}
	return 0, errors.New("no time step found")
}
