/**
 * Goes through the items of a request (spans, log records, data points) one by one, with what they have in common.
 * Lazy: it reads tags and lengths on the way to an item and nothing inside of it, builds nothing per item, copies
 * nothing. Compaction, filters and tables all read items through here; `fields.ts` reads what an item holds and
 * `regroup.ts` writes items into requests again.
 *
 * Fields may come in any order, messages in several pieces. Of a metric's `data` only the last member counts, as
 * protobuf reads a oneof and as the wire walk counts; what came before of other members is void. Containers without
 * items yield nothing. Fields beside the containers, which no version of OTLP has, are no item's: the splitter of
 * `top-level.ts` gives them. Hot path, hence a class: `bench/otlp-items.ts`.
 */
import type { ItemSignal } from "../signal.ts";
import type { MessageRange } from "./fields.ts";
import {
  CHILD_TAG,
  CONTAINER_RULES,
  CONTAINER_TAG,
  ContextPart,
  DATA_MEMBERS,
  METRIC_RULES,
  POINT_TAG,
  type ItemContext,
  type MetricContext,
} from "./item-context.ts";
import { WireReader } from "./wire/format.ts";

/** An item: the payload of its message, and where it belongs. */
export interface Item extends MessageRange {
  /** Its name in the message table, such as `Span`. */
  readonly message: string;
  readonly context: ItemContext;
}

const ITEM_MESSAGE: Readonly<Record<ItemSignal, string>> = { traces: "Span", logs: "LogRecord", metrics: "" };
/** 1 for each tag of a member of a metric's `data`. */
const DATA_TAGS: Uint8Array = Uint8Array.from({ length: 128 }, (_, tag) => (DATA_MEMBERS[tag] === undefined ? 0 : 1));

/**
 * Iterates over the items of a request in the order of their bytes.
 *
 * The item is one object that moves on with each step, and a view of the request, as contexts are until their forms
 * were asked for: whoever keeps something copies it.
 *
 * @param request sound protobuf, as `validateRequest` and `walkRequest` found it: one request, or top-level fields of
 * one. It must stay as it is until the iteration ends
 */
export function iterateItems(signal: ItemSignal, request: Uint8Array): IterableIterator<Item> {
  return new ItemCursor(signal, request);
}

class ItemCursor implements IterableIterator<Item, undefined> {
  readonly #itemTag: number;
  readonly #request: WireReader;
  /** The container, and the scope container in it. */
  readonly #container: WireReader;
  readonly #scope: WireReader;
  /** The metric in that, from its data on, and the tag of the data. */
  readonly #metric: WireReader;
  #dataTag = 0;
  /** The message whose fields are items: the scope container, or a piece of the metric's data. */
  readonly #leaf: WireReader;
  readonly #item: CurrentItem;
  readonly #step: IteratorResult<Item, undefined>;

  constructor(signal: ItemSignal, request: Uint8Array) {
    this.#itemTag = signal === "metrics" ? POINT_TAG : CHILD_TAG;
    this.#request = new WireReader(request);
    this.#container = new WireReader(request, 0, 0);
    this.#scope = new WireReader(request, 0, 0);
    this.#metric = new WireReader(request, 0, 0);
    this.#leaf = signal === "metrics" ? new WireReader(request, 0, 0) : this.#scope;
    this.#item = new CurrentItem(request, ITEM_MESSAGE[signal]);
    this.#step = { done: false, value: this.#item };
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<Item, undefined> {
    const leaf = this.#leaf;
    for (;;) {
      if (leaf.findField(this.#itemTag)) {
        this.#item.start = leaf.valueStart;
        this.#item.end = leaf.position;
        return this.#step;
      }
      if (!(leaf === this.#scope ? this.#enterScope() : this.#enterData())) return { done: true, value: undefined };
    }
  }

  /** Enters the next scope container. */
  #enterScope(): boolean {
    while (!this.#container.findField(CHILD_TAG)) {
      if (!this.#request.findField(CONTAINER_TAG)) return false;
      this.#container.enterValue(this.#request);
      this.#item.enterContainer(toMessage(this.#container));
    }
    this.#scope.enterValue(this.#container);
    this.#item.enterScope(toMessage(this.#scope));
    return true;
  }

  /** Enters the next piece of a metric's data. */
  #enterData(): boolean {
    while (!this.#metric.findField(this.#dataTag)) {
      if (this.#scope.findField(CHILD_TAG)) this.#enterMetric();
      else if (!this.#enterScope()) return false;
    }
    this.#leaf.enterValue(this.#metric);
    return true;
  }

  /** Finds the data of the metric that was met: the member that was set last, from where it was set on. */
  #enterMetric(): void {
    const metric = this.#metric;
    metric.enterValue(this.#scope);
    const { position: start, end } = metric;
    let dataTag = 0;
    let dataStart = end;
    let pieceCount = 0;
    while (!metric.isAtEnd()) {
      const tag = metric.readField();
      if (!isDataTag(tag)) continue;
      pieceCount += 1;
      if (tag === dataTag) continue;
      pieceCount = 1;
      dataTag = tag;
      dataStart = metric.fieldStart;
    }
    metric.position = dataStart;
    this.#dataTag = dataTag;
    this.#item.enterMetric({ bytes: metric.bytes, start, dataTag, dataStart, pieceCount, end });
  }
}

/** Where a metric lies, and the member of its data: from its first piece on, and how many there are. */
interface MetricPlace extends MessageRange {
  readonly dataTag: number;
  readonly dataStart: number;
  readonly pieceCount: number;
}

/** The item as the cursor moves it on; its context is made when it is asked for. */
class CurrentItem implements Item {
  readonly bytes: Uint8Array;
  start = 0;
  end = 0;
  message: string;
  #resource: ContextPart;
  #scope: ContextPart;
  #metric: MetricPlace | null = null;
  #context: ItemContext | null = null;

  constructor(bytes: Uint8Array, message: string) {
    this.bytes = bytes;
    this.message = message;
    this.#resource = new ContextPart({ bytes, start: 0, end: 0 }, CONTAINER_RULES);
    this.#scope = this.#resource;
  }

  get context(): ItemContext {
    this.#context ??= { resource: this.#resource, scope: this.#scope, metric: this.#metric && toContext(this.#metric) };
    return this.#context;
  }

  enterContainer(container: MessageRange): void {
    this.#resource = new ContextPart(container, CONTAINER_RULES);
  }

  enterScope(scope: MessageRange): void {
    this.#scope = new ContextPart(scope, CONTAINER_RULES);
    this.#context = null;
  }

  enterMetric(metric: MetricPlace): void {
    this.message = DATA_MEMBERS[metric.dataTag]?.pointMessage ?? "";
    this.#metric = metric;
    this.#context = null;
  }
}

function isDataTag(tag: number): boolean {
  return tag < DATA_TAGS.length && DATA_TAGS[tag] === 1;
}

function toContext(place: MetricPlace): MetricContext {
  const { bytes, dataTag, dataStart, end, pieceCount } = place;
  const rules = DATA_MEMBERS[dataTag]?.rules ?? [];
  const rest = { bytes, start: dataStart, end };
  const data = pieceCount === 1 ? readValue(rest) : undefined;
  return {
    metric: new ContextPart(place, METRIC_RULES),
    dataTag,
    data: data === undefined ? new ContextPart(rest, rules, dataTag) : new ContextPart(data, rules),
  };
}

/** Finds the value of the first field, which is a message. */
function readValue({ bytes, start, end }: MessageRange): MessageRange {
  const reader = new WireReader(bytes, start, end);
  reader.readField();
  return { bytes, start: reader.valueStart, end: reader.position };
}

function toMessage({ bytes, position, end }: WireReader): MessageRange {
  return { bytes, start: position, end };
}
