import type { ApiextensionsV1 } from "@reddwarf/api-types"
import { assert, describe, it } from "@effect/vitest"
import { Gate, ZoneInstance } from "@reddwarf/plans"
import { Effect, Schema } from "effect"
import { gate, make, memoryLedger } from "./support/simCluster.js"

const [version] = ZoneInstance.definition.spec.versions
const schema = version?.schema?.openAPIV3Schema

/** Paths of a value that the definition does not have: an API server would drop them. */
const dropped = (value: unknown, props: ApiextensionsV1.JSONSchemaProps | undefined, path: string): ReadonlyArray<string> => {
  if (props === undefined) return [path]
  if (props["x-kubernetes-preserve-unknown-fields"] === true || value === null || typeof value !== "object") return []
  if (Array.isArray(value)) {
    const { items } = props
    return value.flatMap((item, index) => dropped(item, Array.isArray(items) ? undefined : items as ApiextensionsV1.JSONSchemaProps, `${path}[${index}]`))
  }
  return Object.entries(value).flatMap(([name, field]) =>
    dropped(
      field,
      props.properties?.[name] ?? (typeof props.additionalProperties === "object" ? props.additionalProperties : undefined),
      `${path}.${name}`
    )
  )
}

/** Lists, maps and texts of the definition without a bound. */
const unbounded = (props: ApiextensionsV1.JSONSchemaProps, path: string): ReadonlyArray<string> => [
  ...props.type === "array" && props.maxItems === undefined ? [path] : [],
  ...props.additionalProperties !== undefined && props.maxProperties === undefined ? [path] : [],
  ...props.type === "string" && props.maxLength === undefined && props.enum === undefined && props.format === undefined ? [path] : [],
  ...Object.entries(props.properties ?? {}).flatMap(([name, field]) => unbounded(field, `${path}.${name}`)),
  ...props.items === undefined || Array.isArray(props.items) ? [] : unbounded(props.items as ApiextensionsV1.JSONSchemaProps, `${path}[]`)
]

describe("definition", () => {
  it("has the names, columns and status subresource of the resource", () => {
    const { names, scope } = ZoneInstance.definition.spec
    assert.deepStrictEqual([names.plural, names.singular, names.shortNames, names.categories, scope], [
      "zoneinstances",
      "zoneinstance",
      ["zi"],
      ["reddwarf"],
      "Namespaced"
    ])
    assert.deepStrictEqual(version?.additionalPrinterColumns?.map(({ name }) => name), [
      "Node",
      "Brand",
      "Phase",
      "Plan",
      "Task",
      "Gates",
      "Restarts",
      "Age",
      "Zone",
      "IP",
      "Plan-Age",
      "Last-Plan"
    ])
    assert.deepStrictEqual(version?.subresources, { status: {} })
  })

  it("bounds everything", () => {
    assert.isDefined(schema)
    for (const part of ["spec", "status"]) {
      const props: ApiextensionsV1.JSONSchemaProps | undefined = schema.properties?.[part]
      assert.isDefined(props)
      assert.deepStrictEqual(unbounded(props, part), [])
    }
  })

  it.scoped("has every field that is ever written", () =>
    Effect.gen(function*() {
      const sim = yield* make({ spec: { gates: [gate(Gate.sidecar)], caps: { cpuCap: 1 }, updatePolicy: { soakSeconds: 1 } } })
      const agent = yield* sim.start(yield* memoryLedger)
      const seen: Array<unknown> = []
      const done = () => {
        seen.push(sim.cluster.object)
        return sim.cluster.status().plan === undefined && sim.cluster.status().lastPlan?.type === "rollback"
      }
      sim.host.failures.set("pull-image", 1)
      yield* sim.settleWith(agent)
      sim.host.broken.add("sha256:2")
      sim.gates.get(Gate.sidecar)!.code = 503
      sim.cluster.edit((spec) => ({ ...spec, specHash: "h2", containers: [{ name: "app", image: "app:2", digest: "sha256:2" }] }), { "reddwarf.io/retry-plan": "1" })
      yield* sim.settleWith(agent, done)
      assert.isAtLeast(seen.length, 5)
      for (const object of seen) {
        assert.deepStrictEqual(dropped(object, { ...schema, properties: { ...schema?.properties, metadata: { "x-kubernetes-preserve-unknown-fields": true } } }, ""), [])
        assert.doesNotThrow(() => Schema.decodeUnknownSync(ZoneInstance.ZoneInstance)(object))
      }
    }))
})
