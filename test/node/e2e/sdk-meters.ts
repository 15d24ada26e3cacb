/** A program that has every instrument of the metrics API, synchronous and observable, of integers and of fractions. */
import { ValueType, type Meter } from "@opentelemetry/api";

/** Makes the instruments of a program. @returns records some measurements with each of them */
export function openInstruments(meter: Meter): () => void {
  const int = { valueType: ValueType.INT };
  const counter = meter.createCounter("all.counter", { ...int, unit: "{call}", description: "calls — ünï" });
  const fraction = meter.createCounter("all.fraction", { unit: "s" });
  const upDown = meter.createUpDownCounter("all.up_down", int);
  const gauge = meter.createGauge("all.gauge");
  const histogram = meter.createHistogram("all.histogram", {
    ...int,
    advice: { explicitBucketBoundaries: [0, 10, 1e6] },
  });
  // The SDK is set up with a view that makes this one exponential.
  const exponential = meter.createHistogram("shop.payment.duration");
  let observed = 0;
  meter.createObservableCounter("all.observed", int).addCallback((result) => result.observe((observed += 7), { a: 1 }));
  meter.createObservableUpDownCounter("all.observed_up_down").addCallback((result) => result.observe(-0.5 * observed));
  meter.createObservableGauge("all.observed_gauge").addCallback((result) => result.observe(Number.MIN_VALUE));
  return () => {
    counter.add(Number.MAX_SAFE_INTEGER, { "attribute.list": ["a", "b"] });
    fraction.add(0.1, { "attribute.bool": true });
    upDown.add(-3);
    gauge.record(-1e300, { "attribute.double": 0.25 });
    for (const value of [0, 3, 10, 11, 5_000_000]) histogram.record(value);
    for (const value of [0, 1e-9, 0.5, 1, 1024, 1e12]) exponential.record(value, { "attribute.int": 12 });
  };
}
