/**
 * Writes `src/otlp/schema.generated.ts`, the table of every OTLP message, from the vendored `.proto` files.
 * `npm run generate:schema`; `test/node/schema.test.ts` proves that the checked-in table is up to date.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import protobuf from "protobufjs";

const ROOT = join(import.meta.dirname, "..");
const OUTPUT = join(ROOT, "src/otlp/schema.generated.ts");
const REQUESTS = [
  "collector/trace/v1/trace_service",
  "collector/metrics/v1/metrics_service",
  "collector/logs/v1/logs_service",
  "collector/profiles/v1development/profiles_service",
] as const;
const REQUEST_MESSAGES = [
  "ExportTraceServiceRequest",
  "ExportMetricsServiceRequest",
  "ExportLogsServiceRequest",
  "ExportProfilesServiceRequest",
];

/** Loads the vendored `.proto` files with protobufjs. */
export function loadProtos(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => join(ROOT, "proto", target);
  root.loadSync(
    REQUESTS.map((name) => `opentelemetry/proto/${name}.proto`),
    { keepCase: true },
  );
  root.resolveAll();
  return root;
}

function formatField(field: protobuf.Field): string {
  const type = field.resolvedType;
  const kind = type instanceof protobuf.Type ? "message" : type instanceof protobuf.Enum ? "enum" : field.type;
  const parts = [
    `number: ${field.id}`,
    `name: ${JSON.stringify(field.name)}`,
    `jsonName: ${JSON.stringify(protobuf.util.camelCase(field.name))}`,
    `kind: ${JSON.stringify(kind)}`,
  ];
  if (type instanceof protobuf.Type) parts.push(`message: ${JSON.stringify(qualifiedName(type))}`);
  if (field.repeated) parts.push("repeated: true");
  if (field.partOf !== null && !field.partOf.isProto3Optional)
    parts.push(`oneof: ${JSON.stringify(field.partOf.name)}`);
  if (field.partOf?.isProto3Optional === true) parts.push("optional: true");
  return `    { ${parts.join(", ")} },`;
}

/** Nested types keep their parent's name: `Span.Event`, `SummaryDataPoint.ValueAtQuantile`. */
function qualifiedName(type: protobuf.Type): string {
  return type.parent instanceof protobuf.Type ? `${qualifiedName(type.parent)}.${type.name}` : type.name;
}

/** Renders the table as TypeScript source. */
export function generateSchema(): string {
  const root = loadProtos();
  const found = new Map<string, protobuf.Type>();
  const visit = (type: protobuf.Type): void => {
    if (found.has(qualifiedName(type))) return;
    found.set(qualifiedName(type), type);
    for (const field of type.fieldsArray) if (field.resolvedType instanceof protobuf.Type) visit(field.resolvedType);
  };
  for (const name of REQUEST_MESSAGES) visit(root.lookupType(name));
  const messages = [...found].map(([name, type]) => {
    const fields = type.fieldsArray.toSorted((a, b) => a.id - b.id).map(formatField);
    return `  ${JSON.stringify(name)}: [\n${fields.join("\n")}\n  ],`;
  });
  return [
    "/**",
    " * Every message that an OTLP request can hold, field by field.",
    " * Generated from `proto/` (opentelemetry-proto v1.11.0) by `npm run generate:schema`; not edited by hand.",
    " */",
    'import type { MessageTable } from "./schema.ts";',
    "",
    "export const MESSAGES: MessageTable = {",
    ...messages,
    "};",
    "",
  ].join("\n");
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(OUTPUT, generateSchema());
  process.stdout.write(`${OUTPUT}: ${readFileSync(OUTPUT).byteLength} bytes\n`);
}
