/** What is said when one thing in the containers of a pod is wrong. */
import type { Mistake } from "./wholePod.js"

export const containerMistakes: ReadonlyArray<Mistake> = [
  ["spec.initContainers.0.livenessProbe", { exec: { command: ["x"] } }, [
    "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always"
  ]],
  ["spec.initContainers.1.ports", [{ containerPort: 9, hostPort: 9 }, { containerPort: 9, hostPort: 9 }], [
    'spec.initContainers[0].ports[1].hostPort: Duplicate value: "TCP//9"'
  ]],
  ["spec.initContainers.0.name", "c", ['spec.initContainers[0].name: Duplicate value: "c"']],
  ["spec.containers.1.restartPolicy", "Sometimes", [
    'spec.containers[1].restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"'
  ]],
  ["spec.containers.1.restartPolicyRules", [{ action: "Restart", exitCodes: { operator: "In", values: [42] } }], [
    "spec.containers[1].restartPolicy: Required value: must specify restartPolicy when restart rules are used"
  ]],
  ["spec.containers.0.livenessProbe.httpGet", { port: "x--y", scheme: "FTP" }, [
    "spec.containers[0].livenessProbe.httpGet: Forbidden: may not specify more than 1 handler type"
  ]],
  ["spec.containers.0.livenessProbe.successThreshold", 2, ["spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"]],
  ["spec.containers.0.readinessProbe.terminationGracePeriodSeconds", 5, [
    "spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes"
  ]],
  ["spec.containers.0.lifecycle.preStop.sleep.seconds", 31, [
    "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)"
  ]],
  ["spec.containers.0.securityContext.seccompProfile", { type: "RuntimeDefault", localhostProfile: "x" }, [
    'spec.containers[0].securityContext.seccompProfile.localhostProfile: Invalid value: {"type":"RuntimeDefault","localhostProfile":"x"}: can only be set when seccomp type is Localhost'
  ]],
  ["spec.containers.0.resources", { limits: { "hugepages-2Mi": "4Mi", "kubernetes.io/x": "1", "requests.example.com/a": "1" } }, [
    `spec.containers[0].resources.limits[requests.example.com/a]: Invalid value: "requests.example.com/a": doesn't follow extended resource name standard`,
    `spec.containers[0].resources.requests[requests.example.com/a]: Invalid value: "requests.example.com/a": doesn't follow extended resource name standard`,
    "spec.containers[0].resources: Forbidden: HugePages require cpu or memory"
  ]],
  ["spec.containers.0.resources.claims", [{ name: "rd" }, { name: "rd", request: "x" }, { name: "zz" }, { name: "" }], [
    'spec.containers[0].resources.claims[1]: Duplicate value: "rd/x"',
    'spec.containers[0].resources.claims[2]: Not found: "zz": must be one of the names in pod.spec.resourceClaims: rc, rd',
    "spec.containers[0].resources.claims[3]: Required value"
  ]],
  ["spec.containers.0.volumeMounts.2.subPath", "x", ['spec.containers[0].volumeMounts[2].subPath: Invalid value: "x": not allowed in image volume sources']],
  ["spec.containers.0.volumeMounts.0.name", "pvc", [
    'spec.containers[0].volumeMounts[0].name: Invalid value: "pvc": must not already exist in volumeDevices',
    'spec.containers[0].volumeDevices[0].name: Invalid value: "pvc": must not already exist in volumeMounts'
  ]],
  ["spec.containers.0.volumeMounts.1.subPathExpr", "/y", [
    'spec.containers[0].volumeMounts[1].subPathExpr: Invalid value: "/y": subPathExpr and subPath are mutually exclusive',
    'spec.containers[0].volumeMounts.subPathExpr: Invalid value: "/y": must be a relative path'
  ]],
  ["spec.initContainers.0", {}, ["spec.initContainers[0].name: Required value", "spec.initContainers[0].image: Required value"]],
  ["spec.initContainers.0.image", " a", ['spec.initContainers[0].image: Invalid value: " a": must not have leading or trailing whitespace']],
  ["spec.initContainers.1.restartPolicy", undefined, ["spec.initContainers[1].startupProbe: Forbidden: may not be set for init containers without restartPolicy=Always"]],
  ["spec.initContainers.1.restartPolicy", "", [
    'spec.initContainers[1].restartPolicy: Unsupported value: "": supported values: "Always", "Never", "OnFailure"',
    "spec.initContainers[1].startupProbe: Forbidden: may not be set for init containers without restartPolicy=Always"
  ]],
  ["spec.initContainers.1.startupProbe", {}, ["spec.initContainers[1].startupProbe: Required value: must specify a handler type"]],
  ["spec.initContainers.1.startupProbe.tcpSocket", {}, ["spec.initContainers[1].startupProbe.tcpSocket.port: Invalid value: 0: must be between 1 and 65535, inclusive"]],
  ["spec.initContainers.1.ports.0", {}, ["spec.initContainers[1].ports[0].containerPort: Required value"]],
  ["spec.containers", [{ name: "c", image: "nginx", volumeMounts: [{ name: "data", mountPath: "/data", recursiveReadOnly: "Enabled", readOnly: true }, { name: "conf", mountPath: "/conf", subPath: "x" }, { name: "img", mountPath: "/img", mountPropagation: "None" }, { name: "tok", mountPath: "/tok", subPathExpr: "$(X)" }], volumeDevices: [{ name: "pvc", devicePath: "/dev/a" }, { name: "eph", devicePath: "/dev/b" }], env: [{ name: "A", value: "1" }, { name: "B", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }, { name: "C", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } }, { name: "D", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } }, { name: "E", valueFrom: { configMapKeyRef: { name: "s", key: "k" } } }], envFrom: [{ prefix: "P_", configMapRef: { name: "m" } }, { secretRef: { name: "m" } }], ports: [{ name: "http", containerPort: 80 }, { name: "https", containerPort: 443, hostPort: 443 }], resources: { requests: { cpu: "100m", "example.com/gpu": "1", "hugepages-2Mi": "4Mi" }, limits: { cpu: "1", "example.com/gpu": "1", "hugepages-2Mi": "4Mi" }, claims: [{ name: "rc" }, { name: "rd", request: "x" }] }, resizePolicy: [{ resourceName: "cpu", restartPolicy: "NotRequired" }, { resourceName: "memory", restartPolicy: "RestartContainer" }], readinessProbe: { httpGet: { port: "http", httpHeaders: [{ name: "X", value: "1" }] }, successThreshold: 2 }, livenessProbe: { exec: { command: ["a"] } }, startupProbe: { grpc: { port: 5 } }, lifecycle: { preStop: { sleep: { seconds: 5 } }, postStart: { httpGet: { port: 8 } } }, securityContext: { runAsUser: 0, allowPrivilegeEscalation: false, procMount: "Default", capabilities: { add: ["X"] }, seccompProfile: { type: "RuntimeDefault" } } }, { name: "d", image: "x", ports: [{ name: "http", containerPort: 80 }], volumeMounts: [{ name: "data", mountPath: "/data" }] }, { name: "c", image: "nginx", volumeMounts: [{ name: "data", mountPath: "/data", recursiveReadOnly: "Enabled", readOnly: true }, { name: "conf", mountPath: "/conf", subPath: "x" }, { name: "img", mountPath: "/img", mountPropagation: "None" }, { name: "tok", mountPath: "/tok", subPathExpr: "$(X)" }], volumeDevices: [{ name: "pvc", devicePath: "/dev/a" }, { name: "eph", devicePath: "/dev/b" }], env: [{ name: "A", value: "1" }, { name: "B", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }, { name: "C", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } }, { name: "D", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } }, { name: "E", valueFrom: { configMapKeyRef: { name: "s", key: "k" } } }], envFrom: [{ prefix: "P_", configMapRef: { name: "m" } }, { secretRef: { name: "m" } }], ports: [{ name: "http", containerPort: 80 }, { name: "https", containerPort: 443, hostPort: 443 }], resources: { requests: { cpu: "100m", "example.com/gpu": "1", "hugepages-2Mi": "4Mi" }, limits: { cpu: "1", "example.com/gpu": "1", "hugepages-2Mi": "4Mi" }, claims: [{ name: "rc" }, { name: "rd", request: "x" }] }, resizePolicy: [{ resourceName: "cpu", restartPolicy: "NotRequired" }, { resourceName: "memory", restartPolicy: "RestartContainer" }], readinessProbe: { httpGet: { port: "http", httpHeaders: [{ name: "X", value: "1" }] }, successThreshold: 2 }, livenessProbe: { exec: { command: ["a"] } }, startupProbe: { grpc: { port: 5 } }, lifecycle: { preStop: { sleep: { seconds: 5 } }, postStart: { httpGet: { port: 8 } } }, securityContext: { runAsUser: 0, allowPrivilegeEscalation: false, procMount: "Default", capabilities: { add: ["X"] }, seccompProfile: { type: "RuntimeDefault" } } }], [
    'spec.containers[2].name: Duplicate value: "c"',
    'spec.containers[2].ports[1].hostPort: Duplicate value: "TCP//443"'
  ]],
  ["spec.containers.0", {}, ["spec.containers[0].name: Required value", "spec.containers[0].image: Required value"]],
  ["spec.containers.0.volumeMounts", [{ name: "data", mountPath: "/data", recursiveReadOnly: "Enabled", readOnly: true }, { name: "conf", mountPath: "/conf", subPath: "x" }, { name: "img", mountPath: "/img", mountPropagation: "None" }, { name: "tok", mountPath: "/tok", subPathExpr: "$(X)" }, { name: "data", mountPath: "/data", recursiveReadOnly: "Enabled", readOnly: true }], [
    'spec.containers[0].volumeMounts[4].mountPath: Invalid value: "/data": must be unique'
  ]],
  ["spec.containers.0.volumeMounts.0.recursiveReadOnly", "", [
    'spec.containers[0].volumeMounts.recursiveReadOnly: Unsupported value: "": supported values: "Disabled", "Enabled", "IfPossible"'
  ]],
  ["spec.containers.0.volumeMounts.0.readOnly", undefined, ["spec.containers[0].volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true"]],
  ["spec.containers.0.volumeMounts.1.subPath", "a/../b", [`spec.containers[0].volumeMounts.subPath: Invalid value: "a/../b": must not contain '..'`]],
  ["spec.containers.0.volumeMounts.2.mountPropagation", "", [
    'spec.containers[0].volumeMounts.mountPropagation: Unsupported value: "": supported values: "Bidirectional", "HostToContainer", "None"'
  ]],
  ["spec.containers.0.volumeMounts.2.mountPropagation", "Bidirectional", [
    "spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers"
  ]],
  ["spec.containers.0.volumeDevices", [{ name: "pvc", devicePath: "/dev/a" }, { name: "eph", devicePath: "/dev/b" }, { name: "pvc", devicePath: "/dev/a" }], [
    'spec.containers[0].volumeDevices[2].name: Invalid value: "pvc": must be unique',
    'spec.containers[0].volumeDevices[2].devicePath: Invalid value: "/dev/a": must be unique'
  ]],
  ["spec.containers.0.volumeDevices.0.devicePath", "a/../b", [
    `spec.containers[0].volumeDevices[0].devicePath: Invalid value: "a/../b": can not contain backsteps ('..')`
  ]],
  ["spec.containers.0.env.0", {}, ["spec.containers[0].env[0].name: Required value"]],
  ["spec.containers.0.env.1.valueFrom", {}, [
    'spec.containers[0].env[1].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
  ]],
  ["spec.containers.0.env.1.valueFrom", { fileKeyRef: { volumeName: "sec", path: "a.env", key: "K" } }, [
    'spec.containers[0].env[1].valueFrom.fileKeyRef.volumeName: Invalid value: "sec": must name a volume of type emptyDir'
  ]],
  ["spec.containers.0.env.1.valueFrom", { fileKeyRef: { volumeName: "nope", path: "../a.env", key: "K".repeat(129) } }, [
    "spec.containers[0].env[1].valueFrom.fileKeyRef.key: Too long: may not be more than 128 bytes",
    'spec.containers[0].env[1].valueFrom.fileKeyRef.volumeName: Not found: "nope"',
    `spec.containers[0].env[1].valueFrom.fileKeyRef.path: Invalid value: "../a.env": must not contain '..'`
  ]],
  ["spec.containers.0.env.1.valueFrom", { fileKeyRef: { volumeName: "", path: "", key: "" } }, [
    "spec.containers[0].env[1].valueFrom.fileKeyRef.key: Required value",
    "spec.containers[0].env[1].valueFrom.fileKeyRef.volumeName: Required value",
    "spec.containers[0].env[1].valueFrom.fileKeyRef.path: Required value"
  ]],
  ["spec.containers.0.env.1.valueFrom.secretKeyRef", {}, [
    `spec.containers[0].env[1].valueFrom.secretKeyRef.name: Invalid value: "": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`,
    "spec.containers[0].env[1].valueFrom.secretKeyRef.key: Required value"
  ]],
  ["spec.containers.0.env.1.valueFrom.secretKeyRef.key", "a/../b", [
    `spec.containers[0].env[1].valueFrom.secretKeyRef.key: Invalid value: "a/../b": a valid config key must consist of alphanumeric characters, '-', '_' or '.'`
  ]],
  ["spec.containers.0.env.2.valueFrom.resourceFieldRef", {}, ["spec.containers[0].env[2].valueFrom.resourceFieldRef.resource: Required value"]],
  ["spec.containers.0.env.3.valueFrom.fieldRef", {}, ["spec.containers[0].env[3].valueFrom.fieldRef.fieldPath: Required value"]],
  ["spec.containers.0.env.3.valueFrom.fieldRef.fieldPath", "metadata.labels['-']", [
    `spec.containers[0].env[3].valueFrom.fieldRef: Invalid value: "-": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.containers.0.env.4.valueFrom.configMapKeyRef", {}, [
    `spec.containers[0].env[4].valueFrom.configMapKeyRef.name: Invalid value: "": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`,
    "spec.containers[0].env[4].valueFrom.configMapKeyRef.key: Required value"
  ]],
  ["spec.containers.0.envFrom.0", {}, ['spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`']],
  ["spec.containers.0.envFrom.0.configMapRef", {}, ["spec.containers[0].envFrom[0].configMapRef.name: Required value"]],
  ["spec.containers.0.envFrom.1.secretRef", {}, ["spec.containers[0].envFrom[1].secretRef.name: Required value"]],
  ["spec.containers.0.ports", [{ name: "http", containerPort: 80 }, { name: "https", containerPort: 443, hostPort: 443 }, { name: "http", containerPort: 80 }], [
    'spec.containers[0].ports[2].name: Duplicate value: "http"'
  ]],
  ["spec.containers.0.ports.0", {}, ["spec.containers[0].ports[0].containerPort: Required value"]],
  ["spec.containers.0.ports.0.name", "Bad_Name", [
    'spec.containers[0].ports[0].name: Invalid value: "Bad_Name": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)'
  ]],
  ["spec.containers.0.ports.0.name", "-", [
    'spec.containers[0].ports[0].name: Invalid value: "-": must contain at least one letter (a-z)',
    'spec.containers[0].ports[0].name: Invalid value: "-": must not begin or end with a hyphen'
  ]],
  ["spec.containers.0.ports.0.name", "metadata.labels['-']", [
    `spec.containers[0].ports[0].name: Invalid value: "metadata.labels['-']": must be no more than 15 characters`,
    `spec.containers[0].ports[0].name: Invalid value: "metadata.labels['-']": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)`
  ]],
  ["spec.containers.0.resources.requests.cpu", "10", ['spec.containers[0].resources.requests: Invalid value: "10": must be less than or equal to cpu limit of 1']],
  ["spec.containers.0.resources.requests.hugepages-2Mi", "10", [
    'spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: "10": 10 is not positive integer multiple of hugepages-2Mi',
    'spec.containers[0].resources.requests: Invalid value: "10": must be equal to hugepages-2Mi limit of 4Mi'
  ]],
  ["spec.containers.0.resources.requests.hugepages-2Mi", "-1", [
    'spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: "-1": must be greater than or equal to 0',
    'spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: "-1": -1 is not positive integer multiple of hugepages-2Mi',
    'spec.containers[0].resources.requests: Invalid value: "-1": must be equal to hugepages-2Mi limit of 4Mi'
  ]],
  ["spec.containers.0.resources.limits", undefined, [
    "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources",
    "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources"
  ]],
  ["spec.containers.0.resources.claims.1.request", "Bad_Name", [
    `spec.containers[0].resources.claims[1].request: Invalid value: "Bad_Name": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character`
  ]],
  ["spec.containers.0.resizePolicy", [{ resourceName: "cpu", restartPolicy: "NotRequired" }, { resourceName: "memory", restartPolicy: "RestartContainer" }, { resourceName: "cpu", restartPolicy: "NotRequired" }], [
    'spec.containers[0].resizePolicy[2]: Duplicate value: "cpu"'
  ]],
  ["spec.containers.0.resizePolicy.0", {}, ["spec.containers[0].resizePolicy: Required value", "spec.containers[0].resizePolicy: Required value"]],
  ["spec.containers.0.readinessProbe", {}, ["spec.containers[0].readinessProbe: Required value: must specify a handler type"]],
  ["spec.containers.0.readinessProbe.httpGet", {}, ["spec.containers[0].readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive"]],
  ["spec.containers.0.readinessProbe.httpGet.httpHeaders.0", {}, [
    `spec.containers[0].readinessProbe.httpGet.httpHeaders: Invalid value: "": a valid HTTP header must consist of alphanumeric characters or '-'`
  ]],
  ["spec.containers.0.readinessProbe.successThreshold", -1, [
    "spec.containers[0].readinessProbe.successThreshold: Invalid value: -1: must be greater than or equal to 0"
  ]],
  ["spec.containers.0.livenessProbe", {}, ["spec.containers[0].livenessProbe: Required value: must specify a handler type"]],
  ["spec.containers.0.livenessProbe.exec", {}, ["spec.containers[0].livenessProbe.exec.command: Required value"]],
  ["spec.containers.0.startupProbe", {}, ["spec.containers[0].startupProbe: Required value: must specify a handler type"]],
  ["spec.containers.0.startupProbe.grpc", {}, ["spec.containers[0].startupProbe.grpc.port: Invalid value: 0: must be between 1 and 65535, inclusive"]],
  ["spec.containers.0.lifecycle.preStop", {}, ["spec.containers[0].lifecycle.preStop: Required value: must specify a handler type"]],
  ["spec.containers.0.lifecycle.postStart", {}, ["spec.containers[0].lifecycle.postStart: Required value: must specify a handler type"]],
  ["spec.containers.0.lifecycle.postStart.httpGet", {}, [
    "spec.containers[0].lifecycle.postStart.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive"
  ]],
  ["spec.containers.0.securityContext.runAsUser", -1, ["spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"]],
  ["spec.containers.0.securityContext.procMount", "", ['spec.containers[0].securityContext.procMount: Unsupported value: "": supported values: "Default", "Unmasked"']],
  ["spec.containers.0.securityContext.procMount", "Unmasked", [
    'spec.containers[0].securityContext.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`'
  ]],
  ["spec.containers.0.securityContext.seccompProfile", {}, [
    "spec.containers[0].securityContext.seccompProfile.type: Required value: type is required when seccompProfile is set"
  ]]
]
