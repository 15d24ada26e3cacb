/**
 * The conditions on resources: {@link compileResourceCondition}. Only the resource of a container is read, not what
 * stands in its scope containers.
 */
import type { MessageRange } from "../otlp/fields.ts";
import { toField, toTag } from "../otlp/wire/table.ts";
import { WireReader } from "../otlp/wire/format.ts";
import { compileAttribute, compileText } from "./attribute.ts";
import type { ItemFilter } from "./contract.ts";

/** Says whether the resource of a container (ResourceSpans, …) meets every condition. */
export type ResourceCondition = (container: Uint8Array) => boolean;

/** Looks at one attribute after the other; `true` as soon as one meets the condition, `false` when none will. */
type Look = (attribute: MessageRange) => boolean | null;

/** The same field in the containers of all signals. */
const RESOURCE_TAG: number = toTag(toField("ResourceSpans", "resource"));
const ATTRIBUTE_TAG: number = toTag(toField("Resource", "attributes"));

/** Compiles the conditions of a filter; `null` when it has none on resources. */
export function compileResourceCondition({ service, resourceAttributes }: ItemFilter): ResourceCondition | null {
  const looks: Look[] = resourceAttributes.map((match) => {
    const condition = compileAttribute(match);
    return (attribute) => (condition.isMetBy(attribute) ? true : null);
  });
  // Of several service names the first one counts, as it does in manifests, by which outputs are passed over.
  if (service !== null) looks.unshift(compileText("service.name", service));
  return looks.length === 0 ? null : (container) => looks.every((look) => isFound(container, look));
}

function isFound(container: Uint8Array, look: Look): boolean {
  const fields = new WireReader(container);
  const resource = new WireReader(container, 0, 0);
  const attribute = { bytes: container, start: 0, end: 0 };
  // A resource may come in pieces, whose attributes follow each other.
  while (fields.findField(RESOURCE_TAG)) {
    resource.enterValue(fields);
    while (resource.findField(ATTRIBUTE_TAG)) {
      attribute.start = resource.valueStart;
      attribute.end = resource.position;
      const found = look(attribute);
      if (found !== null) return found;
    }
  }
  return false;
}
