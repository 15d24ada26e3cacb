package standin

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const minuteFormat = "year=%Y/month=%m/day=%d/hour=%H/minute=%M"

// openS3 makes a client with the credentials of the environment, as both components do.
func openS3(ctx context.Context, region, endpoint string, pathStyle bool) (*s3.Client, error) {
	settings, err := config.LoadDefaultConfig(ctx, config.WithRegion(region))
	if err != nil {
		return nil, err
	}
	return s3.NewFromConfig(settings, func(options *s3.Options) {
		options.UsePathStyle = pathStyle
		if endpoint != "" {
			options.BaseEndpoint = aws.String(endpoint)
		}
	}), nil
}

// strftime writes a partition; the directives are those that both components know and Firn takes.
func strftime(format string, at time.Time) (string, error) {
	fields := map[byte]string{
		'Y': at.Format("2006"), 'y': at.Format("06"), 'm': at.Format("01"), 'd': at.Format("02"),
		'H': at.Format("15"), 'M': at.Format("04"), 'j': at.Format("002"), '%': "%",
	}
	var text strings.Builder
	for index := 0; index < len(format); index++ {
		if format[index] != '%' || index+1 == len(format) {
			text.WriteByte(format[index])
			continue
		}
		index++
		field, known := fields[format[index]]
		if !known {
			return "", fmt.Errorf("unknown directive %%%c", format[index])
		}
		text.WriteString(field)
	}
	return text.String(), nil
}
