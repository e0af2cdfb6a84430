import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds, Status } from "../src/index.js"
import { lines, podWith, problems } from "./pods.js"

const change = (spec: object, container: object = {}) => problems(podWith(spec, container))
const one = (container: object) => problems(podWith({}, container))
const volume = (source: object) => change({ volumes: [{ name: "v", ...source }] })

describe("a new pod", () => {
  it("that is valid has no problems", () => {
    assert.deepStrictEqual(problems(podWith()), [])
    assert.deepStrictEqual(
      change(
        {
          volumes: [{ name: "data" }, { name: "conf", configMap: { name: "m", items: [{ key: "k", path: "a/b" }] } }],
          initContainers: [
            { name: "init", image: "busybox:1" },
            { name: "proxy", image: "envoy:1", restartPolicy: "Always", startupProbe: { tcpSocket: { port: 80 } } }
          ],
          nodeSelector: { "kubernetes.io/os": "illumos" },
          tolerations: [{ operator: "Exists" }],
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchExpressions: [{ key: "a", operator: "Gt", values: ["1"] }] }]
              }
            },
            podAntiAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [
                { weight: 1, podAffinityTerm: { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app: "x" } } } }
              ]
            }
          },
          topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" }],
          securityContext: { runAsUser: 1000, fsGroup: 0 },
          dnsConfig: { nameservers: ["10.0.0.1"], searches: ["a_b.example."], options: [{ name: "ndots", value: "5" }] }
        },
        {
          volumeMounts: [{ name: "data", mountPath: "/data" }, { name: "conf", mountPath: "/conf", subPath: "x" }],
          env: [
            { name: "A", value: "1" },
            { name: "B", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
            { name: "C", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
            { name: "D", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } }
          ],
          envFrom: [{ prefix: "P_", configMapRef: { name: "m" } }],
          ports: [{ name: "http", containerPort: 80 }],
          resources: { requests: { cpu: "100m", "example.com/gpu": "1" }, limits: { cpu: "1", "example.com/gpu": "1" } },
          readinessProbe: { httpGet: { port: "http" }, successThreshold: 2 },
          lifecycle: { preStop: { sleep: { seconds: 5 } } },
          securityContext: { runAsUser: 0, allowPrivilegeEscalation: false }
        }
      ),
      []
    )
  })

  it.each([
    [{ containers: [] }, {}, ["spec.containers: Required value"]],
    [{}, { name: "" }, ["spec.containers[0].name: Required value"]],
    [{}, { image: "" }, ["spec.containers[0].image: Required value"]],
    [{}, { image: " nginx" }, [`spec.containers[0].image: Invalid value: " nginx": must not have leading or trailing whitespace`]],
    [{ containers: [{ name: "a", image: "x" }, { name: "a", image: "x" }] }, {}, [`spec.containers[1].name: Duplicate value: "a"`]],
    [{ initContainers: [{ name: "c", image: "x" }] }, {}, [`spec.initContainers[0].name: Duplicate value: "c"`]],
    [{ restartPolicy: "Sometimes" }, {}, [`spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"`]],
    [{ dnsPolicy: "X" }, {}, [`spec.dnsPolicy: Unsupported value: "X": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"`]],
    [{ dnsPolicy: "None" }, {}, ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"]],
    [{ activeDeadlineSeconds: 0 }, {}, ["spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"]],
    [{ nodeSelector: { "a b": "c" } }, {}, [
      `spec.nodeSelector: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`
    ]],
    [{ schedulingGates: [{ name: "x" }, { name: "x" }] }, {}, [`spec.schedulingGates[1]: Duplicate value: "x"`]],
    [{ schedulingGates: [{ name: "x" }], nodeName: "n" }, {}, ["spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"]],
    [{ ephemeralContainers: [{ name: "d", image: "x" }] }, {}, ["spec.ephemeralContainers: Forbidden: cannot be set on create"]],
    [{ overhead: { cpu: "-1" } }, {}, [`spec.overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0`]],
    [{ hostAliases: [{ ip: "x", hostnames: ["a"] }] }, {}, [`spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)`]],
    [{ preemptionPolicy: "Maybe" }, {}, [`spec.preemptionPolicy: Unsupported value: "Maybe": supported values: "PreemptLowerPriority", "Never"`]],
    [{ securityContext: { runAsUser: -1 } }, {}, ["spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"]],
    [{ shareProcessNamespace: true, hostPID: true }, {}, [
      "spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled"
    ]],
    [{ os: { name: "plan9" } }, {}, [`spec.os: Unsupported value: "plan9": supported values: "linux", "windows"`]]
  ])("%#", (spec, container, expected) => {
    assert.deepStrictEqual(change(spec, container), expected)
  })

  it.each([
    [{ ports: [{ containerPort: 0 }] }, ["spec.containers[0].ports[0].containerPort: Required value"]],
    [{ ports: [{ containerPort: 70000 }] }, ["spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"]],
    [{ ports: [{ containerPort: 1, protocol: "X" }] }, [`spec.containers[0].ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"`]],
    [{ ports: [{ containerPort: 1, name: "a" }, { containerPort: 2, name: "a" }] }, [`spec.containers[0].ports[1].name: Duplicate value: "a"`]],
    [{ ports: [{ containerPort: 1, hostPort: 9 }, { containerPort: 2, hostPort: 9 }] }, [`spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//9"`]],
    [{ env: [{ name: "" }] }, ["spec.containers[0].env[0].name: Required value"]],
    [{ env: [{ name: "A", value: "x", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] }, [
      `spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when \`value\` is not empty`
    ]],
    [{ env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "spec.foo" } } }] }, [
      `spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.foo": error converting fieldPath: field label not supported: spec.foo`
    ]],
    [{ env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "status.phase" } } }] }, [
      `spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"`
    ]],
    [{ env: [{ name: "A", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "2" } } }] }, [
      `spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's values 1m and 1 are supported with the cpu resource`
    ]],
    [{ envFrom: [{}] }, [`spec.containers[0].envFrom: Invalid value: "": must specify one of: \`configMapRef\` or \`secretRef\``]],
    [{ resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } }, [
      `spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`
    ]],
    [{ resources: { limits: { cpu: "-1" } } }, [
      `spec.containers[0].resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0`,
      `spec.containers[0].resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0`
    ]],
    [{ resources: { requests: { disk: "1" } } }, [
      `spec.containers[0].resources.requests[disk]: Invalid value: "disk": must be a standard resource type or fully qualified`,
      `spec.containers[0].resources.requests[disk]: Invalid value: "disk": must be a standard resource for containers`
    ]],
    [{ resources: { requests: { "example.com/gpu": "1500m" }, limits: { "example.com/gpu": "1500m" } } }, [
      `spec.containers[0].resources.limits[example.com/gpu]: Invalid value: "1500m": must be an integer`,
      `spec.containers[0].resources.requests[example.com/gpu]: Invalid value: "1500m": must be an integer`
    ]],
    [{ resources: { requests: { "example.com/gpu": "1" } } }, [
      "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources"
    ]],
    [{ livenessProbe: {} }, ["spec.containers[0].livenessProbe: Required value: must specify a handler type"]],
    [{ livenessProbe: { tcpSocket: { port: 1 }, exec: { command: ["x"] } } }, [
      "spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type"
    ]],
    [{ livenessProbe: { tcpSocket: { port: 1 }, successThreshold: 2 } }, ["spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"]],
    [{ readinessProbe: { tcpSocket: { port: 0 } } }, ["spec.containers[0].readinessProbe.tcpSocket.port: Invalid value: 0: must be between 1 and 65535, inclusive"]],
    [{ startupProbe: { exec: { command: [] } } }, ["spec.containers[0].startupProbe.exec.command: Required value"]],
    [{ readinessProbe: { httpGet: { port: 1, scheme: "FTP" } } }, [
      `spec.containers[0].readinessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"`
    ]],
    [{ lifecycle: { preStop: { sleep: { seconds: 31 } } } }, [
      "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)"
    ]],
    [{ volumeMounts: [{ name: "x", mountPath: "/x" }] }, [`spec.containers[0].volumeMounts[0].name: Not found: "x"`]],
    [{ imagePullPolicy: "Maybe" }, [`spec.containers[0].imagePullPolicy: Unsupported value: "Maybe": supported values: "Always", "IfNotPresent", "Never"`]],
    [{ restartPolicy: "Never", restartPolicyRules: [{ action: "Restart", exitCodes: { operator: "In", values: [42] } }] }, []],
    [{ restartPolicy: "OnFailure", restartPolicyRules: [{ action: "Restart", exitCodes: { operator: "NotIn" } }] }, []],
    [{ restartPolicy: "Never", restartPolicyRules: [{ action: "RestartAllContainers", exitCodes: { operator: "In", values: [42] } }] }, []],
    [{ restartPolicyRules: [{ action: "Stop" }] }, [
      "spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used",
      `spec.containers[0].restartPolicyRules[0].action: Unsupported value: "Stop": supported values: "Restart", "RestartAllContainers"`,
      "spec.containers[0].restartPolicyRules[0].exitCodes: Required value: must be specified"
    ]],
    [{ restartPolicy: "Never", restartPolicyRules: [{ action: "Restart", exitCodes: { operator: "Equals", values: Array.from({ length: 256 }, (_, code) => code) } }] }, [
      `spec.containers[0].restartPolicyRules[0].exitCodes.operator: Unsupported value: "Equals": supported values: "In", "NotIn"`,
      "spec.containers[0].restartPolicyRules[0].exitCodes.values: Too many: 256: must have at most 255 items"
    ]],
    [{ restartPolicy: "Never", restartPolicyRules: Array.from({ length: 21 }, () => ({ action: "Restart", exitCodes: { operator: "In", values: [1] } })) }, [
      "spec.containers[0].restartPolicyRules: Too many: 21: must have at most 20 items"
    ]],
    [{ securityContext: { privileged: true, allowPrivilegeEscalation: false } }, [
      `spec.containers[0].securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set \`allowPrivilegeEscalation\` to false and \`privileged\` to true`
    ]]
  ])("with container %#", (container, expected) => {
    assert.deepStrictEqual(one(container), expected)
  })

  it.each([
    [{ hostPath: { path: "" } }, ["spec.volumes[0].hostPath.path: Required value"]],
    [{ hostPath: { path: "/a/../b" } }, [`spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain '..'`]],
    [{ emptyDir: {}, hostPath: { path: "/x" } }, ["spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"]],
    [{ secret: { secretName: "s", items: [{ key: "k", path: "/abs" }] } }, [
      `spec.volumes[0].secret.items[0].path: Invalid value: "/abs": must be a relative path`
    ]],
    [{ configMap: { name: "m", defaultMode: 512 } }, [
      "spec.volumes[0].configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive"
    ]],
    [{ downwardAPI: { items: [{ path: "x" }] } }, ["spec.volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required"]],
    [{ projected: { sources: [{ serviceAccountToken: { path: "t", expirationSeconds: 60 } }] } }, [
      "spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes"
    ]]
  ])("with volume %#", (source, expected) => {
    assert.deepStrictEqual(volume(source), expected)
  })

  it.each([
    [{ tolerations: [{ key: "a", operator: "Near" }] }, [`spec.tolerations[0].operator: Unsupported value: "Near": supported values: "Equal", "Exists"`]],
    [{ tolerations: [{ key: "a", operator: "Exists", value: "x" }] }, [
      `spec.tolerations[0].operator: Invalid value: "x": value must be empty when \`operator\` is 'Exists'`
    ]],
    [{ tolerations: [{ key: "a", operator: "Exists", effect: "NoSchedule", tolerationSeconds: 1 }] }, [
      `spec.tolerations[0].effect: Invalid value: "NoSchedule": effect must be 'NoExecute' when \`tolerationSeconds\` is set`
    ]],
    [{ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } } }, [
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term"
    ]],
    [{ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "" }] } } }, [
      "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty",
      `spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must be non-empty`
    ]],
    [{ topologySpreadConstraints: [{ maxSkew: 0, topologyKey: "", whenUnsatisfiable: "X" }] }, [
      "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than 0",
      "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty",
      `spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "X": supported values: "DoNotSchedule", "ScheduleAnyway"`
    ]]
  ])("with placement %#", (spec, expected) => {
    const found = change(spec)
    for (const [index, line] of expected.entries()) assert.include(found[index] ?? "", line)
  })

  it("says what is wrong with its metadata", () => {
    const meta = (metadata: object) => problems(podWith({}, {}, metadata))
    assert.deepStrictEqual(meta({ name: "" }), ["metadata.name: Required value: name or generateName is required"])
    assert.deepStrictEqual(meta({ namespace: "" }), ["metadata.namespace: Required value"])
    assert.deepStrictEqual(meta({ annotations: { a: "x".repeat(262_144) } }), ["metadata.annotations: Too long: may not be more than 262144 bytes"])
    assert.deepStrictEqual(meta({ finalizers: ["x/y", "orphan"] }), [])
    assert.deepStrictEqual(meta({ finalizers: ["bare"] }), [
      `metadata.finalizers[0]: Invalid value: "bare": name is neither a standard finalizer name nor is it fully qualified`
    ])
    const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "r", uid: "u", controller: true }
    assert.deepStrictEqual(meta({ ownerReferences: [owner] }), [])
    assert.include(meta({ ownerReferences: [owner, { ...owner, name: "s" }] })[0] ?? "", `Only one reference can have Controller set to true. Found "true" in references for ReplicaSet/r and ReplicaSet/s`)
    assert.deepStrictEqual(meta({ ownerReferences: [{ ...owner, uid: "" }] }), [`metadata.ownerReferences.uid: Invalid value: "": must not be empty`])
  })
})

describe("a body full of mistakes", () => {
  const many = 100_000

  it.each<readonly [string, object, object]>([
    ["labels", {}, { labels: Object.fromEntries(Array.from({ length: many }, (_, index) => [`-${index}`, "-"])) }],
    ["finalizers", {}, { finalizers: Array.from({ length: many }, (_, index) => `f${index}`) }],
    ["owners", {}, { ownerReferences: Array.from({ length: many / 10 }, (_, index) => ({ apiVersion: "v1", kind: "K", name: `n${index}`, uid: "u", controller: true })) }],
    ["spreading", { topologySpreadConstraints: Array.from({ length: many / 10 }, () => ({ maxSkew: 1, topologyKey: "z", whenUnsatisfiable: "DoNotSchedule" })) }, {}],
    ["init containers", { initContainers: Array.from({ length: many / 10 }, () => ({ name: "c", image: "x" })) }, {}]
  ])("of %s gets a bounded answer soon", (_, spec, metadata) => {
    const found = Kinds.pod.validate(podWith(spec, {}, metadata))
    assert.isAbove(found.length, 0)
    const status = Status.invalid(Kinds.pod, "p", found)
    assert.isAtMost(status.details?.causes?.length ?? 0, Status.maximumCauses)
  })
})

describe("an update", () => {
  const pod = podWith({ activeDeadlineSeconds: 100, initContainers: [{ name: "i", image: "x" }] })
  const update = (spec: Partial<CoreV1.PodSpec>, old: CoreV1.Pod = pod) =>
    lines(Kinds.pod.validateUpdate({ ...old, spec: { containers: [], ...old.spec, ...spec } }, old))
  const [first] = pod.spec?.containers ?? []

  it("may change images, shorten the deadline and add tolerations", () => {
    assert.deepStrictEqual(update({}), [])
    assert.deepStrictEqual(update({ containers: first === undefined ? [] : [{ ...first, image: "nginx:2" }] }), [])
    assert.deepStrictEqual(update({ activeDeadlineSeconds: 50 }), [])
    assert.deepStrictEqual(update({ tolerations: [...(pod.spec?.tolerations ?? []), { key: "a", operator: "Exists" }] }), [])
    const negative = { ...pod, spec: { containers: [], ...pod.spec, terminationGracePeriodSeconds: -1 } }
    assert.deepStrictEqual(update({ terminationGracePeriodSeconds: 1 }, negative), [])
  })

  it("may not change anything else", () => {
    const text =
      "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\nchanged: "
    assert.deepStrictEqual(update({ nodeName: "n" }), [`${text}nodeName`])
    assert.deepStrictEqual(update({ containers: first === undefined ? [] : [{ ...first, command: ["x"] }] }), [`${text}containers[0].command`])
    assert.deepStrictEqual(update({ containers: first === undefined ? [] : [first, { ...first, name: "d" }] }), [
      "spec.containers: Forbidden: pod updates may not add or remove containers"
    ])
    assert.deepStrictEqual(update({ activeDeadlineSeconds: 101 }), [
      "spec.activeDeadlineSeconds: Invalid value: 101: must be less than or equal to previous value"
    ])
    assert.deepStrictEqual(update({ tolerations: [] }), [
      "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"
    ])
    assert.deepStrictEqual(update({ schedulingGates: [{ name: "g" }] }), [
      "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'g'"
    ])
  })

  it("may narrow the choice of nodes while the pod is gated", () => {
    const gated = podWith({ schedulingGates: [{ name: "g" }], nodeSelector: { a: "1" } })
    assert.deepStrictEqual(update({ nodeSelector: { a: "1", b: "2" } }, gated), [])
    assert.deepStrictEqual(update({ schedulingGates: [] }, gated), [])
    assert.deepStrictEqual(update({ nodeSelector: { b: "2" } }, gated), [
      `spec.nodeSelector: Invalid value: {"b":"2"}: only additions are allowed (no mutations or deletions)`
    ])
  })

  it("may not take server-owned metadata away", () => {
    const stored: CoreV1.Pod = { ...pod, metadata: { ...pod.metadata, uid: "u", deletionTimestamp: "2026-11-20T22:00:00Z", finalizers: ["a/b"] } }
    const next = (metadata: object) => lines(Kinds.pod.validateUpdate({ ...stored, metadata: { ...stored.metadata, ...metadata } }, stored))
    assert.deepStrictEqual(next({ uid: "v" }), [`metadata.uid: Invalid value: "v": field is immutable`])
    assert.deepStrictEqual(next({ name: "q" }), [`metadata.name: Invalid value: "q": field is immutable`])
    assert.deepStrictEqual(next({ finalizers: ["a/b", "c/d"] }), [
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"c/d"}'
    ])
    assert.deepStrictEqual(next({ finalizers: [] }), [])
  })

  it("of the status may not revive an ended container that must stay ended", () => {
    const never = podWith({ restartPolicy: "Never" })
    const status = (state: CoreV1.ContainerState): CoreV1.Pod => ({
      ...never,
      status: {
        ...never.status,
        containerStatuses: [{ name: "c", state, ready: false, restartCount: 0, image: "", imageID: "" }]
      }
    })
    const ended = status({ terminated: { exitCode: 1 } })
    assert.deepStrictEqual(lines(Kinds.pod.validateUpdate(status({ running: {} }), ended)), [
      "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"
    ])
    assert.deepStrictEqual(lines(Kinds.pod.validateUpdate(ended, status({ running: {} }))), [])
  })

  it("of the status may revive a container that its own policy or rules start again, and all where rules say so", () => {
    const revived = (container: object, exitCode: number): ReadonlyArray<string> => {
      const [first] = pod.spec?.containers ?? []
      const never = podWith({ restartPolicy: "Never", containers: [{ ...first, ...container }, { ...first, name: "d" }] })
      const status = (state: CoreV1.ContainerState): CoreV1.Pod => ({
        ...never,
        status: { ...never.status, containerStatuses: ["c", "d"].map((name) => ({ name, state, ready: false, restartCount: 0, image: "", imageID: "" })) }
      })
      return Kinds.pod.validateUpdate(status({ running: {} }), status({ terminated: { exitCode } })).map(({ path }) => path)
    }
    const [one, other] = ["status.containerStatuses[0].state", "status.containerStatuses[1].state"]
    const rule = (action: string) => ({ restartPolicy: "Never", restartPolicyRules: [{ action, exitCodes: { operator: "In", values: [42] } }] })
    assert.deepStrictEqual(revived({}, 42), [one, other])
    assert.deepStrictEqual(revived({ restartPolicy: "OnFailure" }, 1), [other])
    assert.deepStrictEqual(revived({ restartPolicy: "OnFailure" }, 0), [one, other])
    assert.deepStrictEqual(revived(rule("Restart"), 42), [other])
    assert.deepStrictEqual(revived(rule("Restart"), 1), [one, other])
    assert.deepStrictEqual(revived(rule("RestartAllContainers"), 0), [])
  })
})
