import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { check, type ProtobufFacts, type SchemaFacts } from "./Check.ts"
import { emitTables } from "./EmitTables.ts"
import { emitTypes } from "./EmitTypes.ts"
import { type GoPackage, parse } from "./GoSource.ts"
import { type ApiPackage, build } from "./Model.ts"

/** A group of `k8s.io/api` in one version. */
const group = (name: string, module: string, version = "v1"): ApiPackage => ({
  path: `k8s.io/api/${name}/${version}`,
  openapi: `io.k8s.api.${name}.${version}`,
  module
})

const APIS: ReadonlyArray<ApiPackage> = [
  { path: "k8s.io/apimachinery/pkg/apis/meta/v1", openapi: "io.k8s.apimachinery.pkg.apis.meta.v1", module: "MetaV1" },
  { path: "k8s.io/apimachinery/pkg/version", openapi: "io.k8s.apimachinery.pkg.version", module: "Version" },
  group("core", "CoreV1"),
  group("apps", "AppsV1"),
  group("events", "EventsV1"),
  group("authentication", "AuthenticationV1"),
  group("authorization", "AuthorizationV1"),
  group("autoscaling", "AutoscalingV1"),
  group("autoscaling", "AutoscalingV2", "v2"),
  group("batch", "BatchV1"),
  group("certificates", "CertificatesV1"),
  group("certificates", "CertificatesV1beta1", "v1beta1"),
  group("networking", "NetworkingV1"),
  group("policy", "PolicyV1"),
  group("rbac", "RbacV1"),
  group("storage", "StorageV1"),
  group("admission", "AdmissionV1"),
  group("admissionregistration", "AdmissionregistrationV1"),
  {
    path: "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1",
    openapi: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
    module: "ApiextensionsV1"
  },
  group("scheduling", "SchedulingV1"),
  group("coordination", "CoordinationV1"),
  group("node", "NodeV1"),
  group("discovery", "DiscoveryV1"),
  group("resource", "ResourceV1"),
  group("flowcontrol", "FlowcontrolV1")
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
