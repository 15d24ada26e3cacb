/**
 * An ordinary instrumented program: a shop that takes orders. Nested spans with attributes, events and links,
 * counters, gauges and both kinds of histogram, and logs that belong to spans. It knows nothing of Firn.
 */
import {
  context,
  SeverityNumber,
  SpanKind,
  SpanStatusCode,
  trace,
  ValueType,
  type Context,
  type Counter,
  type Gauge,
  type Histogram,
  type Span,
} from "@opentelemetry/api";
import { setTimeout as delay } from "node:timers/promises";
import type { Telemetry } from "./telemetry.ts";

const PRODUCTS = ["snow shovel", "ice axe", "crampons", "thermos — 1 l", "スキー"];
const CARDS = ["visa", "amex", "maestro"];
/** Orders that are under way at once. */
const CHECKOUTS = 8;

interface Instruments {
  readonly orders: Counter;
  readonly revenue: Counter;
  readonly stock: Gauge;
  readonly latency: Histogram;
  readonly payment: Histogram;
}

/** Takes orders. @param onOrder - called after each one */
export async function runShop(telemetry: Telemetry, orderCount: number, onOrder?: () => void): Promise<void> {
  const { meter } = telemetry;
  const instruments: Instruments = {
    orders: meter.createCounter("shop.orders", { unit: "{order}", valueType: ValueType.INT }),
    revenue: meter.createCounter("shop.revenue", { unit: "EUR", description: "Paid, without tax" }),
    stock: meter.createGauge("shop.stock", { unit: "{item}", valueType: ValueType.INT }),
    latency: meter.createHistogram("shop.checkout.duration", { unit: "ms" }),
    payment: meter.createHistogram("shop.payment.duration", { unit: "s" }),
  };
  let previous: Span | null = null;
  for (let order = 0; order < orderCount; order += CHECKOUTS) {
    const count = Math.min(CHECKOUTS, orderCount - order);
    const spans = await Promise.all(
      Array.from({ length: count }, async (_, i) => {
        const span = await checkOut(telemetry, instruments, { order: order + i, previous });
        onOrder?.();
        return span;
      }),
    );
    previous = spans.at(-1) ?? null;
  }
}

interface Order {
  readonly order: number;
  /** The order before, which the span links to. */
  readonly previous: Span | null;
}

async function checkOut(telemetry: Telemetry, instruments: Instruments, { order, previous }: Order): Promise<Span> {
  const { tracer } = telemetry;
  const product = PRODUCTS[order % PRODUCTS.length] ?? "";
  const started = performance.now();
  const span = tracer.startSpan("POST /checkout", {
    kind: SpanKind.SERVER,
    attributes: {
      "http.request.method": "POST",
      "http.route": "/checkout",
      "shop.order": order,
      "shop.products": [product, "gift wrap"],
      "shop.express": order % 3 === 0,
      "shop.weight_kg": 0.25 * (order + 1.1),
    },
    links: previous === null ? [] : [{ context: previous.spanContext(), attributes: { "link.reason": "same basket" } }],
  });
  const inside = trace.setSpan(context.active(), span);
  log(telemetry, inside, { order, what: "taken", text: `Order ${order}: ${product}` });
  await reserve(telemetry, inside, order);
  const paid = await pay(telemetry, instruments, { order, inside });
  span.setStatus(paid ? { code: SpanStatusCode.OK } : { code: SpanStatusCode.ERROR, message: "payment refused" });
  span.setAttribute("http.response.status_code", paid ? 200 : 402);
  span.end();
  instruments.orders.add(1, { "shop.paid": paid, "shop.product": product });
  instruments.stock.record(100 - order, { "shop.product": product });
  if (paid) instruments.revenue.add(19.95 + order, { "shop.product": product });
  instruments.latency.record(performance.now() - started, { "shop.paid": paid });
  return span;
}

async function reserve({ tracer }: Telemetry, inside: Context, order: number): Promise<void> {
  const span = tracer.startSpan("SELECT stock", { kind: SpanKind.CLIENT }, inside);
  span.setAttributes({ "db.system.name": "sqlite", "db.query.text": "SELECT count FROM stock WHERE product = ?" });
  await delay(order % 4);
  span.addEvent("row.locked", { "db.row": order, "db.wait_ms": 0.5 });
  span.end();
}

interface Payment {
  readonly order: number;
  readonly inside: Context;
}

async function pay(telemetry: Telemetry, instruments: Instruments, { order, inside }: Payment): Promise<boolean> {
  const card = CARDS[order % CARDS.length] ?? "";
  const span = telemetry.tracer.startSpan(
    "pay",
    { kind: SpanKind.PRODUCER, attributes: { "card.kind": card } },
    inside,
  );
  const started = performance.now();
  await delay(order % 7);
  const paid = order % 11 !== 5;
  if (!paid) {
    span.recordException(new RangeError(`Card ${card} has no credit left`));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  const here = trace.setSpan(inside, span);
  log(telemetry, here, { order, what: paid ? "paid" : "refused", text: paid ? `Paid by ${card}` : `Refused: ${card}` });
  span.end();
  instruments.payment.record((performance.now() - started) / 1000, { "card.kind": card });
  return paid;
}

interface LogLine {
  readonly order: number;
  readonly what: "taken" | "paid" | "refused";
  readonly text: string;
}

/** Each record carries an id of its own, so that it can be told from any other. */
function log({ logger }: Telemetry, inside: Context, { order, what, text }: LogLine): void {
  const refused = what === "refused";
  logger.emit({
    context: inside,
    severityNumber: refused ? SeverityNumber.WARN : SeverityNumber.INFO,
    severityText: refused ? "WARN" : "INFO",
    eventName: `shop.order.${what}`,
    body: refused ? { text, order } : text,
    attributes: { "item.id": crypto.randomUUID(), "shop.order": order, "shop.step": what },
  });
}
