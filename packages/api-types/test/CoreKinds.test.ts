import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds } from "../src/index.js"
import { cellsOf, make, refusals, updateRefusals } from "./pods.js"

const metadata = { name: "x", namespace: "default" }

describe("Endpoints", () => {
  const endpoints = (...subsets: ReadonlyArray<object>) => ({ metadata, subsets })
  const addresses = [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }]

  it("gets protocols, and is on its way out", () => {
    const object = make(Kinds.endpoints, endpoints({ addresses, ports: [{ port: 80 }] }))
    assert.deepStrictEqual(object.subsets, [{ addresses, ports: [{ port: 80, protocol: "TCP" }] }])
    assert.match(Kinds.endpoints.deprecationWarning ?? "", /^v1 Endpoints is deprecated in v1.33\+/)
  })

  it.each([
    [{}, "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"],
    [{ addresses: [{ ip: "x" }] }, `subsets[0].addresses[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)`],
    [{ addresses: [{ ip: "127.0.0.1" }] }, `subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)`],
    [{ addresses: [{ ip: "0.0.0.0" }] }, `subsets[0].addresses[0].ip: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0 or ::)`],
    [{ addresses: [{ ip: "fe80::1" }] }, `subsets[0].addresses[0].ip: Invalid value: "fe80::1": may not be in the link-local range (169.254.0.0/16, fe80::/10)`],
    [{ notReadyAddresses: [{ ip: "224.0.0.1" }] }, `subsets[0].notReadyAddresses[0].ip: Invalid value: "224.0.0.1": may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)`],
    [{ addresses, ports: [{ port: 0 }] }, "subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"],
    [{ addresses, ports: [{ name: "a", port: 1 }, { port: 2 }] }, "subsets[0].ports[1].name: Required value"],
    [{ addresses, ports: [{ port: 1, protocol: "X" }] }, `subsets[0].ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"`]
  ])("refuses %j", (subset, problem) => {
    assert.deepStrictEqual(refusals(Kinds.endpoints, endpoints(subset)), [problem])
  })

  it("shows three addresses", () => {
    const cell = (...subsets: ReadonlyArray<object>) => cellsOf(Kinds.endpoints, make(Kinds.endpoints, endpoints(...subsets)))["Endpoints"]
    assert.strictEqual(cell(), "<none>")
    assert.strictEqual(cell({ addresses, ports: [{ port: 80 }] }), "10.0.0.1:80,10.0.0.2:80")
    assert.strictEqual(cell({ addresses }), "10.0.0.1,10.0.0.2")
    assert.strictEqual(cell({ addresses, ports: [{ name: "a", port: 80 }, { name: "b", port: 81 }] }), "10.0.0.1:80,10.0.0.2:80,10.0.0.1:81 + 1 more...")
    assert.strictEqual(cell({ addresses: [{ ip: "fd00::1" }], ports: [{ port: 80 }] }), "[fd00::1]:80")
  })
})

describe("PersistentVolume", () => {
  const volume = (spec: object = {}) => ({
    metadata: { name: "pv" },
    spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/data" }, ...spec }
  })
  const stored = make(Kinds.persistentVolume, volume())

  it("gets its defaults", () => {
    assert.deepStrictEqual<unknown>(stored.spec, {
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      hostPath: { path: "/data", type: "" },
      persistentVolumeReclaimPolicy: "Retain",
      volumeMode: "Filesystem"
    })
    assert.deepStrictEqual(stored.status, { phase: "Pending", lastPhaseTransitionTime: "2026-11-20T22:00:00Z" })
    assert.deepStrictEqual(refusals(Kinds.persistentVolume, volume()), [])
  })

  it.each([
    [{ accessModes: [] }, "spec.accessModes: Required value"],
    [{ accessModes: ["Magic"] }, `spec.accessModes: Unsupported value: "Magic": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"`],
    [{ accessModes: ["ReadWriteOncePod", "ReadWriteOnce"] }, "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"],
    [{ capacity: {} }, "spec.capacity: Required value"],
    [{ capacity: { cpu: "1" } }, `spec.capacity: Unsupported value: {"cpu":"1"}: supported values: "storage"`],
    [{ capacity: { storage: "0" } }, `spec.capacity[storage]: Invalid value: "0": must be greater than zero`],
    [{ hostPath: undefined }, "spec: Required value: must specify a volume type"],
    [{ nfs: { server: "s", path: "/" } }, "spec.nfs: Forbidden: may not specify more than 1 volume type"],
    [{ hostPath: { path: "/../x" } }, `spec.hostPath.path: Invalid value: "/../x": must not contain '..'`],
    [{ hostPath: undefined, local: { path: "/x" } }, "spec.nodeAffinity: Required value: Local volume requires node affinity"],
    [{ persistentVolumeReclaimPolicy: "Magic" }, `spec.persistentVolumeReclaimPolicy: Unsupported value: "Magic": supported values: "Delete", "Recycle", "Retain"`]
  ])("refuses %j", (spec, problem) => {
    assert.deepStrictEqual(refusals(Kinds.persistentVolume, volume(spec)), [problem])
  })

  it("checks its node affinity under its own name", () => {
    const required = (operator: string) => ({ nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "a", operator, values: ["b"] }] }] } } })
    assert.deepStrictEqual(refusals(Kinds.persistentVolume, volume(required("In"))), [])
    assert.deepStrictEqual(refusals(Kinds.persistentVolume, volume(required("Magic"))), [
      `spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].operator: Invalid value: "Magic": not a valid selector operator`
    ])
  })

  it("stays where it is", () => {
    assert.deepStrictEqual(updateRefusals(Kinds.persistentVolume, volume({ capacity: { storage: "2Gi" } }), stored), [])
    assert.deepStrictEqual(updateRefusals(Kinds.persistentVolume, volume({ hostPath: { path: "/other" } }), stored), [
      "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation"
    ])
  })

  it("shows its claim", () => {
    const claimRef = { namespace: "default", name: "c" }
    assert.deepStrictEqual(cellsOf(Kinds.persistentVolume, { ...stored, spec: { ...stored.spec, claimRef, storageClassName: "fast" }, status: { phase: "Bound" } }), {
      Name: "pv", Capacity: "1Gi", "Access Modes": "RWO", "Reclaim Policy": "Retain", Status: "Bound", Claim: "default/c", StorageClass: "fast",
      VolumeAttributesClass: "<unset>", Reason: "", Age: "5m", VolumeMode: "Filesystem"
    })
  })
})

describe("PersistentVolumeClaim", () => {
  const claim = (spec: object = {}) => ({ metadata, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec } })
  const stored = make(Kinds.persistentVolumeClaim, claim())
  const bound: CoreV1.PersistentVolumeClaim = {
    ...stored,
    spec: { ...stored.spec, volumeName: "pv" },
    status: { phase: "Bound", capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce", "ReadOnlyMany"] }
  }

  it("gets its defaults", () => {
    assert.deepStrictEqual<unknown>(stored.spec, { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, volumeMode: "Filesystem" })
    assert.deepStrictEqual(stored.status, { phase: "Pending" })
    const dataSource = { kind: "PersistentVolumeClaim", name: "other" }
    assert.deepStrictEqual(make(Kinds.persistentVolumeClaim, claim({ dataSource })).spec?.dataSourceRef, dataSource)
  })

  it.each([
    [{ accessModes: [] }, "spec.accessModes: Required value: at least 1 access mode is required"],
    [{ resources: {} }, "spec.resources[storage]: Required value"],
    [{ resources: { requests: { storage: "0" } } }, `spec.resources[storage]: Invalid value: "0": must be greater than zero`],
    [{ volumeMode: "Magic" }, `spec.volumeMode: Unsupported value: "Magic": supported values: "Block", "Filesystem"`],
    [{ dataSource: { kind: "Magic", name: "a" } }, `spec.dataSource: Invalid value: "Magic": must be 'PersistentVolumeClaim' when referencing the default apiGroup`]
  ])("refuses %j", (spec, problem) => {
    assert.include(refusals(Kinds.persistentVolumeClaim, claim(spec)), problem)
  })

  it("grows when it is bound, and changes in nothing else", () => {
    const size = (storage: string) => ({ resources: { requests: { storage } } })
    const fixed = "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
    assert.deepStrictEqual(updateRefusals(Kinds.persistentVolumeClaim, claim({ volumeName: "pv" }), stored), [])
    assert.deepStrictEqual(updateRefusals(Kinds.persistentVolumeClaim, claim(size("2Gi")), stored), [fixed])
    assert.deepStrictEqual(updateRefusals(Kinds.persistentVolumeClaim, claim({ volumeName: "pv", ...size("2Gi") }), bound), [])
    assert.deepStrictEqual(updateRefusals(Kinds.persistentVolumeClaim, claim({ volumeName: "pv", ...size("1Mi") }), bound), [
      "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"
    ])
    assert.deepStrictEqual(updateRefusals(Kinds.persistentVolumeClaim, claim({ volumeName: "pv", accessModes: ["ReadWriteMany"] }), bound), [fixed])
  })

  it("shows its volume", () => {
    assert.deepStrictEqual(cellsOf(Kinds.persistentVolumeClaim, bound), {
      Name: "x", Status: "Bound", Volume: "pv", Capacity: "1Gi", "Access Modes": "RWO,ROX", StorageClass: "", VolumeAttributesClass: "<unset>", Age: "5m", VolumeMode: "Filesystem"
    })
    assert.deepStrictEqual(Object.values(cellsOf(Kinds.persistentVolumeClaim, stored)).slice(1, 5), ["Pending", "", "", ""])
  })
})

describe("LimitRange", () => {
  const range = (limit: object) => ({ metadata, spec: { limits: [{ type: "Container", ...limit }] } })

  it("derives defaults from bounds", () => {
    assert.deepStrictEqual(make(Kinds.limitRange, range({ max: { cpu: "2", memory: "1Gi" }, min: { cpu: "100m", pods: "1" }, default: { cpu: "1" } })).spec?.limits[0], {
      type: "Container",
      max: { cpu: "2", memory: "1Gi" },
      min: { cpu: "100m", pods: "1" },
      default: { cpu: "1", memory: "1Gi" },
      defaultRequest: { cpu: "1", memory: "1Gi", pods: "1" }
    })
  })

  it.each([
    [{ min: { cpu: "2" }, max: { cpu: "1" }, defaultRequest: { cpu: "2" }, default: { cpu: "2" } }, `spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1`],
    [{ type: "Pod", default: { cpu: "1" } }, "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"],
    [{ maxLimitRequestRatio: { cpu: "500m" } }, `spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1`],
    [{ type: "PersistentVolumeClaim" }, "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided"],
    [{ max: { magic: "1" } }, `spec.limits[0].max[magic]: Invalid value: "magic": must be a standard resource type or fully qualified`]
  ])("refuses %j", (limit, problem) => {
    assert.include(refusals(Kinds.limitRange, range(limit)), problem)
  })
})

describe("ResourceQuota", () => {
  const quota = (spec: object) => ({ metadata, spec })

  it("takes counts of any resource", () => {
    assert.deepStrictEqual(refusals(Kinds.resourceQuota, quota({ hard: { cpu: "4", "requests.memory": "1Gi", "count/deployments.apps": "3", pods: "5" }, scopes: ["BestEffort"] })), [])
  })

  it.each([
    [{ hard: { magic: "1" } }, `spec.hard[magic]: Invalid value: "magic": must be a standard resource type or fully qualified`],
    [{ hard: { pods: "1500m" } }, `spec.hard[pods]: Invalid value: "1500m": must be an integer`],
    [{ scopes: ["BestEffort", "NotBestEffort"] }, `spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes`],
    [
      { scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator: "In" }] } },
      "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
    ]
  ])("refuses %j", (spec, problem) => {
    assert.deepStrictEqual(refusals(Kinds.resourceQuota, quota(spec)), [problem])
  })

  it("shows what is used", () => {
    const status = { hard: { pods: "10", cpu: "4", "limits.cpu": "8" }, used: { pods: "3" } }
    assert.deepStrictEqual(cellsOf(Kinds.resourceQuota, { ...make(Kinds.resourceQuota, quota({})), status }), {
      Name: "x", Request: "cpu: 0/4, pods: 3/10", Limit: "limits.cpu: 0/8", Age: "5m"
    })
  })

  it("keeps its scopes", () => {
    const stored = make(Kinds.resourceQuota, quota({ scopes: ["BestEffort"] }))
    assert.deepStrictEqual(updateRefusals(Kinds.resourceQuota, quota({ scopes: ["Terminating"] }), stored), [`spec.scopes: Invalid value: ["Terminating"]: field is immutable`])
  })
})

describe("PodTemplate and ComponentStatus", () => {
  const template = { metadata: { labels: { b: "2", a: "1" } }, spec: { containers: [{ name: "c", image: "x" }, { name: "d", image: "y" }] } }

  it("a template is complete and valid", () => {
    const object = make(Kinds.podTemplate, { metadata, template })
    assert.strictEqual(object.template?.spec?.restartPolicy, "Always")
    assert.deepStrictEqual(refusals(Kinds.podTemplate, { metadata, template }), [])
    assert.deepStrictEqual(refusals(Kinds.podTemplate, { metadata, template: { spec: { containers: [] } } }), ["template.spec.containers: Required value"])
    assert.deepStrictEqual(cellsOf(Kinds.podTemplate, object), { Name: "x", Containers: "c,d", Images: "x,y", "Pod Labels": "a=1,b=2" })
  })

  it("a component shows its health", () => {
    const object: CoreV1.ComponentStatus = { apiVersion: "v1", kind: "ComponentStatus", metadata: { name: "s" }, conditions: [{ type: "Healthy", status: "True", message: "ok" }] }
    assert.deepStrictEqual(cellsOf(Kinds.componentStatus, object), { Name: "s", Status: "Healthy", Message: "ok", Error: "" })
  })
})
