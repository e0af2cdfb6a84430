import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { check, type ProtobufFacts, type SchemaFacts } from "./Check.ts"
import { emitTables } from "./EmitTables.ts"
import { emitTypes } from "./EmitTypes.ts"
import { type GoPackage, parse } from "./GoSource.ts"
import { type ApiPackage, build } from "./Model.ts"

const APIS: ReadonlyArray<ApiPackage> = [
  { path: "k8s.io/apimachinery/pkg/apis/meta/v1", openapi: "io.k8s.apimachinery.pkg.apis.meta.v1", module: "MetaV1" },
  { path: "k8s.io/api/core/v1", openapi: "io.k8s.api.core.v1", module: "CoreV1" },
  { path: "k8s.io/api/coordination/v1", openapi: "io.k8s.api.coordination.v1", module: "CoordinationV1" }
]

const read = (folder: string): GoPackage => {
  const files = readdirSync(folder).filter((file) => file.endsWith(".go") && !/(_test|generated.*|zz_.*)\.go$/.test(file) && !file.startsWith("zz_") && !file.includes("generated"))
  const parts = files.sort().map((file) => parse(readFileSync(join(folder, file), "utf8")))
  const merge = <V>(pick: (part: GoPackage) => ReadonlyMap<string, V>): ReadonlyMap<string, V> => new Map(parts.flatMap((part) => [...pick(part)]))
  return { structs: merge((p) => p.structs), named: merge((p) => p.named), constants: merge((p) => p.constants), imports: merge((p) => p.imports) }
}

const [sources, flag, facts] = process.argv.slice(2)
if (sources === undefined || (flag !== undefined && (flag !== "--check" || facts === undefined))) {
  process.stderr.write("usage: node tooling/generate-api/src/main.ts GO_SOURCES [--check FACTS]\n")
  process.exit(2)
}

const model = build(APIS, new Map(APIS.map((api) => [api.path, read(join(sources, api.path))])))
const out = join(import.meta.dirname, "../../../packages/api-types/src/generated")
mkdirSync(out, { recursive: true })
writeFileSync(join(out, "tables.ts"), emitTables(model))
for (const { api, messages } of model.packages) writeFileSync(join(out, `${api.module}.ts`), emitTypes(model, api, messages))
const count = model.packages.reduce((sum, entry) => sum + entry.messages.length, 0)
process.stdout.write(`${String(count)} types written\n`)

if (facts !== undefined) {
  const json = (name: string): unknown => JSON.parse(readFileSync(join(facts, name), "utf8"))
  const problems = check(model, json("kubernetes-schema.json") as SchemaFacts, json("kubernetes-protobuf.json") as ProtobufFacts)
  for (const problem of problems) process.stdout.write(`${problem}\n`)
  process.stdout.write(`${String(problems.length)} differences from the published facts\n`)
  process.exitCode = problems.length === 0 ? 0 : 1
}
