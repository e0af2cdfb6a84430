import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Either from "effect/Either"
import { type CoreV1, EffectSchema, Kind, KindRegistry, Kinds, type KubeObject, ObjectCodec, Schema } from "../src/index.js"
import * as Decoder from "effect/Schema"
import { lines, now } from "./pods.js"

const create = <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, json: object): A => {
  const { object } = Either.getOrThrow(ObjectCodec.decode(kind, json))
  return kind.defaults(kind.prepareForCreate(kind.defaults(object), now))
}
const problems = <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, json: object): ReadonlyArray<string> => lines(kind.validate(create(kind, json)))
const meta = (name = "x") => ({ metadata: { name, namespace: "default" } })
const all = "create delete deletecollection get list patch update watch"

describe("definitions", () => {
  it("have the names and verbs that discovery shows", () => {
    const own = [...Kinds.core, ...Kinds.apps, ...Kinds.batch]
    const facts = own.map(({ categories, namespaced, plural, shortNames, singular, subresources, verbs }) =>
      [plural, singular, namespaced ? "Namespaced" : "Cluster", shortNames.join(), categories.join(), verbs.join(" "), subresources.map(({ name }) => name).join()].join("|")
    )
    assert.deepStrictEqual(facts, [
      "bindings|binding|Namespaced|||create|",
      "componentstatuses|componentstatus|Cluster|cs||get list|",
      `configmaps|configmap|Namespaced|cm||${all}|`,
      `endpoints|endpoints|Namespaced|ep||${all}|`,
      `events|event|Namespaced|ev||${all}|`,
      `limitranges|limitrange|Namespaced|limits||${all}|`,
      `namespaces|namespace|Cluster|ns||create delete get list patch update watch|finalize,status`,
      `nodes|node|Cluster|no||${all}|proxy,status`,
      `persistentvolumeclaims|persistentvolumeclaim|Namespaced|pvc||${all}|status`,
      `persistentvolumes|persistentvolume|Cluster|pv||${all}|status`,
      `pods|pod|Namespaced|po|all|${all}|${Kinds.pod.subresources.map(({ name }) => name).join()}`,
      `podtemplates|podtemplate|Namespaced|||${all}|`,
      `replicationcontrollers|replicationcontroller|Namespaced|rc|all|${all}|scale,status`,
      `resourcequotas|resourcequota|Namespaced|quota||${all}|status`,
      `secrets|secret|Namespaced|||${all}|`,
      `serviceaccounts|serviceaccount|Namespaced|sa||${all}|token`,
      `services|service|Namespaced|svc|all|${all}|proxy,status`,
      `controllerrevisions|controllerrevision|Namespaced|||${all}|`,
      `daemonsets|daemonset|Namespaced|ds|all|${all}|status`,
      `deployments|deployment|Namespaced|deploy|all|${all}|scale,status`,
      `replicasets|replicaset|Namespaced|rs|all|${all}|scale,status`,
      `statefulsets|statefulset|Namespaced|sts|all|${all}|scale,status`,
      `cronjobs|cronjob|Namespaced|cj|all|${all}|status`,
      `jobs|job|Namespaced||all|${all}|status`
    ])
  })

  const facts = process.env["REDDWARF_KINDS_FACTS"]
  it.skipIf(facts === undefined)("agree with the published kinds (skipped unless REDDWARF_KINDS_FACTS names kubernetes-kinds.jsonl)", () => {
    const published = readFileSync(facts ?? "", "utf8").trim().split("\n").map((line) => Decoder.decodeUnknownSync(Decoder.parseJson(Decoder.Struct({
      group: Decoder.String, version: Decoder.String, resource: Decoder.String, kind: Decoder.String, singular: Decoder.String, scope: Decoder.String,
      shortNames: Decoder.Array(Decoder.String), categories: Decoder.Array(Decoder.String), verbs: Decoder.Array(Decoder.String),
      subresources: Decoder.Array(Decoder.Struct({ name: Decoder.String, kind: Decoder.String, verbs: Decoder.Array(Decoder.String) }))
    })))(line))
    let compared = 0
    for (const kind of Kinds.all) {
      const fact = published.find(({ group, resource, version }) => group === kind.group && resource === kind.plural && version === kind.version)
      if (fact === undefined) continue
      compared++
      assert.deepStrictEqual(
        { group: kind.group, version: kind.version, resource: kind.plural, kind: kind.kind, singular: kind.singular, scope: kind.namespaced ? "Namespaced" : "Cluster", shortNames: kind.shortNames, categories: kind.categories, verbs: kind.verbs,
          subresources: kind.subresources.map(({ kind: bodyKind, name, verbs }) => ({ name, kind: bodyKind, verbs })) },
        fact
      )
    }
    assert.isAbove(compared, 0)
  })

  it("have a schema in the field tables, and a cell for each column", () => {
    for (const kind of Kinds.all) {
      assert.property(Schema.tables, kind.schema)
      const object = create(kind, meta())
      assert.lengthOf(kind.cells(object, now), kind.columns.length, kind.kind)
      assert.deepStrictEqual(kind.defaults(object), object, `defaults of ${kind.kind} are not stable`)
      for (const field of Kind.fieldNames(kind)) assert.isString(Kind.fieldValue(kind, object, field), `${kind.kind} ${field}`)
      assert.isUndefined(Kind.fieldValue(kind, object, "spec.nope"))
      assert.isUndefined(Kind.fieldValue(kind, object, "constructor"))
    }
  })

  it("select by the fields of Kubernetes", () => {
    const fields = (kind: Kind.Kind): string => Kind.fieldNames(kind).slice(kind.namespaced ? 2 : 1).toSorted().join()
    assert.strictEqual(fields(Kinds.pod), "spec.host,spec.hostNetwork,spec.nodeName,spec.restartPolicy,spec.schedulerName,spec.serviceAccountName,status.nominatedNodeName,status.phase,status.podIP,status.podIPs")
    assert.strictEqual(fields(Kinds.node), "spec.unschedulable")
    assert.strictEqual(fields(Kinds.namespace), "status.phase")
    assert.strictEqual(fields(Kinds.secret), "type")
    assert.strictEqual(fields(Kinds.service), "spec.clusterIP,spec.type")
    assert.strictEqual(fields(Kinds.event), "involvedObject.apiVersion,involvedObject.fieldPath,involvedObject.kind,involvedObject.name,involvedObject.namespace,involvedObject.resourceVersion,involvedObject.uid,reason,reportingComponent,source,type")
    assert.strictEqual(Kind.fieldValue(Kinds.node, create(Kinds.node, { metadata: { name: "n" } }), "spec.unschedulable"), "false")
  })
})

describe("KindRegistry", () => {
  it.effect("finds kinds by name and by resource, core first", () =>
    Effect.gen(function*() {
      const registry = yield* KindRegistry.KindRegistry
      assert.strictEqual(registry.byKind("", "v1", "Pod"), Kinds.pod)
      assert.strictEqual(registry.byResource("coordination.k8s.io", "v1", "leases"), Kinds.lease)
      assert.isUndefined(registry.byKind("", "v2", "Pod"))
      assert.isUndefined(registry.byResource("apps", "v1beta1", "deployments"))
      assert.deepStrictEqual(registry.groups().slice(0, 2).map(({ group, versions }) => [group, versions.map(({ version }) => version)]), [
        ["", ["v1"]],
        ["apps", ["v1"]]
      ])
    }).pipe(Effect.provide(KindRegistry.layer)))

  it("takes kinds of its user", () => {
    const gadget = Kind.make({ group: "example.com", version: "v1", kind: "Gadget", plural: "gadgets", namespaced: true, schema: "com.example.Gadget" })
    const registry = KindRegistry.make([...Kinds.all, gadget])
    assert.strictEqual(registry.byResource("example.com", "v1", "gadgets"), gadget)
    assert.strictEqual(gadget.listKind, "GadgetList")
    assert.deepStrictEqual(lines(gadget.validate({ apiVersion: "example.com/v1", kind: "Gadget", metadata: { name: "g" } })), ["metadata.namespace: Required value"])
  })
})

describe("Namespace", () => {
  it("gets its label, finalizer and phase", () => {
    assert.deepStrictEqual<unknown>(create(Kinds.namespace, { metadata: { name: "team" } }), {
      kind: "Namespace",
      apiVersion: "v1",
      metadata: { name: "team", labels: { "kubernetes.io/metadata.name": "team" } },
      spec: { finalizers: ["kubernetes"] },
      status: { phase: "Active" }
    })
    assert.deepStrictEqual(problems(Kinds.namespace, { metadata: { name: "a.b" } }), [`metadata.name: Invalid value: "a.b": must not contain dots`])
    assert.deepStrictEqual(problems(Kinds.namespace, { metadata: { name: "a", namespace: "b" } }), ["metadata.namespace: Forbidden: not allowed on this type"])
  })

  it("keeps its finalizers and status in an update", () => {
    const old = create(Kinds.namespace, { metadata: { name: "team" } })
    const next = Kinds.namespace.prepareForUpdate({ ...old, spec: {}, status: { phase: "Terminating" } }, old)
    assert.deepStrictEqual(next, old)
    assert.deepStrictEqual(lines(Kinds.namespace.validateUpdate(next, old)), [])
  })
})

describe("Node", () => {
  const node = (json: object) => problems(Kinds.node, { metadata: { name: "n" }, ...json })

  it("is not ready until its agent says so, and has what it has", () => {
    const object = create(Kinds.node, { metadata: { name: "n" }, spec: { podCIDR: "10.0.0.0/24" }, status: { capacity: { cpu: "4" } } })
    assert.deepStrictEqual(object.spec?.taints, [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }])
    assert.deepStrictEqual(object.spec?.podCIDRs, ["10.0.0.0/24"])
    assert.deepStrictEqual(object.status?.allocatable, { cpu: "4" })
  })

  it("has valid taints, networks and amounts", () => {
    assert.deepStrictEqual(node({}), [])
    assert.deepStrictEqual(node({ spec: { podCIDRs: ["10.0.0.0/33"] } }), [
      `spec.podCIDRs[0]: Invalid value: "10.0.0.0/33": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)`
    ])
    assert.deepStrictEqual(node({ spec: { taints: [{ key: "a", effect: "X" }] } }), [
      `metadata.taints[0].effect: Unsupported value: "X": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"`
    ])
    assert.include(node({ spec: { taints: [{ key: "a", effect: "NoSchedule" }, { key: "a", effect: "NoSchedule" }] } })[0] ?? "", "taints must be unique by key and effect pair")
    assert.deepStrictEqual(node({ status: { capacity: { pods: "1500m" } } }).slice(0, 1), [`status.capacity.pods: Invalid value: "1500m": must be an integer`])
  })

  it("may get a network once and not another one", () => {
    const old = create(Kinds.node, { metadata: { name: "n" }, spec: { podCIDR: "10.0.0.0/24" } })
    const next: CoreV1.Node = { ...old, spec: { ...old.spec, podCIDR: "10.1.0.0/24", podCIDRs: ["10.1.0.0/24"] } }
    assert.deepStrictEqual(lines(Kinds.node.validateUpdate(next, old)), [`spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid`])
    assert.deepStrictEqual(lines(Kinds.node.validateUpdate(old, { ...old, spec: {} })), [])
  })
})

describe("ConfigMap and Secret", () => {
  it("have valid keys and a bounded size", () => {
    assert.deepStrictEqual(problems(Kinds.configMap, { ...meta(), data: { "a b": "" } }).length, 1)
    assert.deepStrictEqual(problems(Kinds.configMap, { ...meta(), data: { a: "" }, binaryData: { a: "AA==" } }), [
      `data[a]: Invalid value: "a": duplicate of key present in binaryData`
    ])
    assert.deepStrictEqual(problems(Kinds.configMap, { ...meta(), data: { a: "x".repeat(1_048_576) } }), [])
    assert.deepStrictEqual(problems(Kinds.configMap, { ...meta(), data: { a: "x".repeat(1_048_577) } }), ["[]: Too long: may not be more than 1048576 bytes"])
    assert.deepStrictEqual(problems(Kinds.secret, { ...meta(), data: { a: Buffer.alloc(1_048_577).toString("base64") } }), ["data: Too long: may not be more than 1048576 bytes"])
  })

  it("string data overwrites data and is not stored", () => {
    const object = create(Kinds.secret, { ...meta(), data: { a: "AA==", b: "AA==" }, stringData: { b: "héllo" } })
    assert.deepStrictEqual(object.data, { a: "AA==", b: Buffer.from("héllo").toString("base64") })
    assert.notProperty(object, "stringData")
    assert.strictEqual(object.type, "Opaque")
  })

  it("types of secrets demand their keys", () => {
    const secret = (type: string, data: object = {}) => problems(Kinds.secret, { ...meta(), type, data })
    assert.deepStrictEqual(secret("kubernetes.io/tls"), ["data[tls.crt]: Required value", "data[tls.key]: Required value"])
    assert.deepStrictEqual(secret("kubernetes.io/basic-auth"), ["data[username]: Required value", "data[password]: Required value"])
    assert.deepStrictEqual(secret("kubernetes.io/basic-auth", { username: "" }), [])
    assert.deepStrictEqual(secret("kubernetes.io/dockerconfigjson", { ".dockerconfigjson": "e30=" }), [])
    assert.lengthOf(secret("kubernetes.io/dockerconfigjson", { ".dockerconfigjson": "WA==" }), 1)
    assert.deepStrictEqual(secret("kubernetes.io/service-account-token"), ["metadata.annotations[kubernetes.io/service-account.name]: Required value"])
    assert.deepStrictEqual(secret("example.com/own"), [])
  })

  it("that are immutable do not change, nor does the type of a secret", () => {
    const old = create(Kinds.configMap, { ...meta(), immutable: true, data: { a: "1" } })
    assert.deepStrictEqual(lines(Kinds.configMap.validateUpdate({ ...old, immutable: false, data: {} }, old)), [
      "immutable: Forbidden: field is immutable when `immutable` is set",
      "data: Forbidden: field is immutable when `immutable` is set"
    ])
    assert.deepStrictEqual(lines(Kinds.configMap.validateUpdate(old, old)), [])
    const secret = create(Kinds.secret, { ...meta(), immutable: true })
    assert.deepStrictEqual(lines(Kinds.secret.validateUpdate({ ...secret, type: "x/y" }, secret)), [`type: Invalid value: "x/y": field is immutable`])
  })
})

describe("Service", () => {
  const service = (spec: object) => problems(Kinds.service, { ...meta(), spec })

  it("gets what a stored service needs", () => {
    const { spec, status } = create(Kinds.service, { ...meta(), spec: { ports: [{ port: 80 }], selector: { app: "x" } } })
    assert.deepStrictEqual<unknown>(spec, {
      ports: [{ protocol: "TCP", port: 80, targetPort: 80 }],
      selector: { app: "x" },
      type: "ClusterIP",
      sessionAffinity: "None",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      internalTrafficPolicy: "Cluster"
    })
    assert.deepStrictEqual(status, { loadBalancer: {} })
    const headless = create(Kinds.service, { ...meta(), spec: { clusterIP: "None" } })
    assert.deepStrictEqual(headless.spec?.clusterIPs, ["None"])
    const sticky = create(Kinds.service, { ...meta(), spec: { type: "LoadBalancer", sessionAffinity: "ClientIP", ports: [{ port: 1 }] } })
    assert.strictEqual(sticky.spec?.sessionAffinityConfig?.clientIP?.timeoutSeconds, 10_800)
    assert.strictEqual(sticky.spec?.externalTrafficPolicy, "Cluster")
    assert.isTrue(sticky.spec?.allocateLoadBalancerNodePorts)
  })

  it("has valid ports, type and addresses", () => {
    assert.deepStrictEqual(service({ ports: [{ port: 80 }] }), [])
    assert.deepStrictEqual(service({}), ["spec.ports: Required value"])
    assert.deepStrictEqual(service({ clusterIP: "None" }), [])
    assert.deepStrictEqual(service({ type: "ExternalName", externalName: "example.com." }), [])
    assert.deepStrictEqual(service({ type: "ExternalName" }), ["spec.externalName: Required value"])
    assert.deepStrictEqual(service({ type: "Magic", ports: [{ port: 1 }] }), [
      `spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"`
    ])
    assert.deepStrictEqual(service({ ports: [{ port: 1 }, { port: 1, name: "b" }] }), [
      "spec.ports[0].name: Required value",
      `spec.ports[1]: Duplicate value: {"protocol":"TCP","port":1}`
    ])
    assert.deepStrictEqual(service({ ports: [{ port: 1, nodePort: 30000 }] }), ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"])
    assert.deepStrictEqual(service({ clusterIP: "x", ports: [{ port: 1 }] }), [
      `spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)`
    ])
    assert.deepStrictEqual(service({ ports: [{ port: 1 }], selector: { a: "-" } }).length, 1)
  })

  it("does not take the port of the node agent, and checks health for local traffic only", () => {
    assert.deepStrictEqual(service({ type: "LoadBalancer", ports: [{ port: 10_250 }] }), ["spec.ports[0]: Invalid value: 10250: may not expose port 10250 externally since it is used by kubelet"])
    assert.deepStrictEqual(service({ type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: 30_000, ports: [{ port: 1 }] }), [])
    assert.deepStrictEqual(service({ healthCheckNodePort: 30_000, ports: [{ port: 1 }] }), [
      "spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
    ])
  })

  it("keeps its address in an update that leaves it out", () => {
    const old = create(Kinds.service, { ...meta(), spec: { clusterIP: "10.96.0.1", ports: [{ port: 80 }] } })
    const next = create(Kinds.service, { ...meta(), spec: { ports: [{ port: 81 }] } })
    const updated = Kinds.service.prepareForUpdate(next, old)
    assert.deepStrictEqual(updated.spec?.clusterIPs, ["10.96.0.1"])
    assert.deepStrictEqual(lines(Kinds.service.validateUpdate(updated, old)), [])
    const moved = create(Kinds.service, { ...meta(), spec: { clusterIP: "10.96.0.2", ports: [{ port: 80 }] } })
    assert.deepStrictEqual(lines(Kinds.service.validateUpdate(moved, old)), [`spec.clusterIPs[0]: Invalid value: ["10.96.0.2"]: may not change once set`])
  })
})

describe("a change of a Service", () => {
  const ports = [{ port: 80, nodePort: 30_080 }, { port: 443, nodePort: 30_443 }]
  const stored = create(Kinds.service, { ...meta(), spec: { type: "NodePort", clusterIP: "10.96.0.1", ports: ports.map((port, index) => ({ ...port, name: `p${index}` })) } })
  const changed = (spec: object) => {
    const next = Kinds.service.prepareForUpdate(create(Kinds.service, { ...meta(), spec }), stored)
    assert.deepStrictEqual(lines(Kinds.service.validateUpdate(next, stored)), [])
    return next.spec ?? {}
  }

  it("keeps the node ports of ports that stay, unless another port takes them", () => {
    const spec = changed({ type: "LoadBalancer", ports: [{ name: "p0", port: 80 }, { name: "new", port: 81 }] })
    assert.deepStrictEqual(spec.ports?.map(({ nodePort }) => nodePort), [30_080, undefined])
    assert.strictEqual(spec.clusterIP, "10.96.0.1")
    assert.deepStrictEqual(changed({ type: "NodePort", ports: [{ name: "a", port: 80 }, { name: "b", port: 81, nodePort: 30_080 }] }).ports?.map(({ nodePort }) => nodePort), [undefined, 30_080])
  })

  it("drops what the new type does not have", () => {
    const { spec } = stored
    const inside = changed({ ...spec, type: "ClusterIP" })
    assert.deepStrictEqual(inside.ports?.map(({ nodePort }) => nodePort), [undefined, undefined])
    assert.notProperty(inside, "externalTrafficPolicy")
    assert.strictEqual(inside.clusterIP, "10.96.0.1")
    const outside = changed({ ...spec, type: "ExternalName", externalName: "example.com" })
    for (const field of ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"]) assert.notProperty(outside, field)
  })
})

describe("Lease, Event, Binding, ServiceAccount", () => {
  it("a lease has sensible numbers", () => {
    assert.deepStrictEqual(problems(Kinds.lease, { ...meta(), spec: { leaseDurationSeconds: 0, leaseTransitions: -1 } }), [
      "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
      "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0"
    ])
    assert.deepStrictEqual(problems(Kinds.lease, { ...meta(), spec: { holderIdentity: "", leaseDurationSeconds: 15 } }), [])
    assert.isTrue(Kinds.lease.allowCreateOnUpdate)
    assert.isFalse(Kinds.lease.allowUnconditionalUpdate)
  })

  it("an event is where its object is", () => {
    const event = (involvedObject: object, rest: object = {}) => problems(Kinds.event, { ...meta("p.1"), involvedObject, ...rest })
    assert.deepStrictEqual(event({ namespace: "default" }), [])
    assert.deepStrictEqual(event({}), [])
    assert.deepStrictEqual(event({ namespace: "other" }), [`involvedObject.namespace: Invalid value: "other": does not match event.namespace`])
    assert.deepStrictEqual(event({ namespace: "default" }, { eventTime: "2026-11-20T22:00:00.000000Z", reportingComponent: "x/y", reportingInstance: "i", action: "a", reason: "r" }), [])
    assert.include(event({ namespace: "default" }, { eventTime: "2026-11-20T22:00:00.000000Z" }), "reportingInstance: Required value")
  })

  it("a binding names a node", () => {
    assert.deepStrictEqual(problems(Kinds.binding, { ...meta(), target: { kind: "Node", name: "n" } }), [])
    assert.deepStrictEqual(problems(Kinds.binding, { ...meta(), target: { kind: "Pod" } }), [
      `target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"`,
      "target.name: Required value"
    ])
  })

  it("a service account keeps names of secrets only", () => {
    const object = create(Kinds.serviceAccount, { ...meta(), secrets: [{ name: "s", namespace: "elsewhere" }] })
    assert.deepStrictEqual(object.secrets, [{ name: "s" }])
  })
})

describe("EffectSchema", () => {
  const decode = Decoder.decodeUnknownEither(EffectSchema.of(Kinds.pod.schema), { onExcessProperty: "preserve" })

  it("decodes a pod and keeps unknown fields", () => {
    const json = { apiVersion: "v1", kind: "Pod", metadata: { name: "p", annotations: null }, spec: { containers: [{ name: "c", ports: [{ containerPort: 80 }], newField: 1 }] }, later: true }
    assert.deepStrictEqual(decode(json), Either.right(json))
  })

  it("says where the shape is wrong", () => {
    const wrong = decode({ spec: { containers: [{ name: "c", ports: [{ containerPort: "80" }] }] } })
    assert.isTrue(Either.isLeft(wrong))
    if (Either.isLeft(wrong)) assert.match(wrong.left.message, /containerPort/)
    assert.isTrue(Either.isLeft(decode({ spec: {} })))
  })
})
