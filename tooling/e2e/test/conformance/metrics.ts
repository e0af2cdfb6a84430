import type { Scenario } from "../../src/Conformance.js"
import { pod } from "./manifests.js"

// The loop is nice to the rest of the machine: a simulated host has no caps of its own to hold it back.
const running = `apiVersion: v1
kind: Pod
metadata: { name: spin, labels: { app: spin } }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - { name: loop, image: "reddwarf.io/shell:1", command: ["nice", "-n", "10", "/bin/sh", "-c", "while :; do :; done"] }
    - { name: rest, image: "reddwarf.io/shell:1", command: ["/bin/sh", "-c", "while :; do sleep 1; done"] }
---
apiVersion: v1
kind: Pod
metadata: { name: calm, labels: { app: calm } }
spec:
  terminationGracePeriodSeconds: 0
  containers: [{ name: main, image: "reddwarf.io/shell:1", command: ["/bin/sh", "-c", "while :; do sleep 1; done"] }]
`

/** Takes more memory than it should from the start, so that it is scaled without any work. */
const scaled = `apiVersion: apps/v1
kind: Deployment
metadata: { name: load }
spec:
  replicas: 1
  selector: { matchLabels: { app: load } }
  template:
    metadata: { labels: { app: load } }
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{ name: main, image: "reddwarf.io/shell:1", command: ["/bin/sh", "-c", "while :; do sleep 1; done"] }]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: load }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: load }
  minReplicas: 1
  maxReplicas: 2
  metrics: [{ type: Resource, resource: { name: memory, target: { type: AverageValue, averageValue: 128Ki } } }]
`

const nodeHeading = { "1.20": "NAME +CPU\\(cores\\) +CPU% +MEMORY\\(bytes\\) +MEMORY%", "1.32": "NAME +CPU\\(cores\\) +CPU\\(%\\) +MEMORY\\(bytes\\) +MEMORY\\(%\\)" }
const nodeLine = "\\n(node-0 +\\d+m +\\d+% +\\d+Mi +\\d+% *\\n)"
const nodeTable = {
  "1.20": new RegExp(`^${nodeHeading["1.20"]} *${nodeLine}`),
  "1.32": new RegExp(`^${nodeHeading["1.32"]} *${nodeLine}`),
  "1.36": new RegExp(`^${nodeHeading["1.32"]} *${nodeLine}`)
}

/** `top` on a server whose nodes no agent measures. */
export const unmeasured: ReadonlyArray<Scenario> = [{
  name: "unmeasured",
  cases: [
    { verb: "top node", command: "top node", code: 1, stderr: "error: metrics not available yet\n" },
    { verb: "top node", command: "top node nope", code: 1, stderr: "Error from server (NotFound): nodes \"nope\" not found\n" },
    { verb: "top pod", command: "top pod", stdout: "", stderr: "No resources found in $NS namespace.\n" },
    { verb: "top pod", command: "top pod nope", code: 1, stderr: "Error from server (NotFound): pods \"nope\" not found\n" },
    { verb: "top pod", command: "top pod", setup: [["create -f -", pod("p1")]], code: 1, stderr: "error: metrics not available yet\n" },
    { verb: "top pod", command: "top pod p1", code: 1, stderr: "Error from server (NotFound): podmetrics.metrics.k8s.io \"$NS/p1\" not found\n" }
  ]
}]

/** `top` on the demo's node. */
export const measured: ReadonlyArray<Scenario> = [{
  name: "measured",
  setup: [["create -f -", running]],
  cases: [
    { verb: "wait", command: "wait --for=condition=Ready pod/spin pod/calm --timeout=25s", stdout: "pod/spin condition met\npod/calm condition met\n" },
    { verb: "top node", command: "top node", stdout: nodeTable, eventually: true, seconds: 60 },
    { verb: "top node", command: "top node node-0", stdout: nodeTable },
    { verb: "top node", command: "top node -l kubernetes.io/os=plan9", stdout: "", code: 1, stderr: "error: metrics not available yet\n" },
    { verb: "top pod", command: "top pod", stdout: /^NAME +CPU\(cores\) +MEMORY\(bytes\) *\ncalm +\d{1,2}m +[1-9]\d*Mi *\nspin +\d{2,4}m +[1-9]\d*Mi *\n$/, eventually: true, seconds: 90 },
    { verb: "top pod", command: "top pod --sort-by=cpu", stdout: /^NAME.*\nspin .*\ncalm .*\n$/ },
    { verb: "top pod", command: "top pod --containers -l app=spin", stdout: /^POD +NAME +CPU\(cores\) +MEMORY\(bytes\) *\nspin +loop +\d{2,4}m +\d+Mi *\nspin +rest +\d{1,2}m +\d+Mi *\n$/ },
    { verb: "top pod", command: "top pod -A", stdout: /^NAMESPACE +NAME +CPU\(cores\) +MEMORY\(bytes\) *\n[\s\S]*\n\$NS +spin +\d+m +\d+Mi/ },
    { verb: "top pod", command: "top pod calm", stdout: /^NAME +CPU\(cores\) +MEMORY\(bytes\) *\ncalm +\d+m +\d+Mi *\n$/ },
    { verb: "top pod", command: "top pod -l app=none", stdout: "", stderr: "No resources found in $NS namespace.\n" },
    { verb: "get --raw", command: "get --raw /apis/metrics.k8s.io/v1beta1/namespaces/$NS/pods/calm", stdout: /^\{"kind":"PodMetrics","apiVersion":"metrics\.k8s\.io\/v1beta1","metadata":\{"name":"calm","namespace":"[^"]+","creationTimestamp":"[^"]+","labels":\{"app":"calm"\}\},"timestamp":"[^"]+Z","window":"[\d.]+s","containers":\[\{"name":"main","usage":\{"cpu":"\d+n?","memory":"\d+[KM]i"\}\}\]\}\n$/ },
    { verb: "delete", command: "delete pod spin calm", stdout: /^pod "spin" deleted/ }
  ]
}, {
  name: "autoscaled",
  setup: [["create -f -", scaled]],
  cases: [
    { verb: "get hpa", command: "get hpa load", stdout: /^NAME +REFERENCE +TARGETS +MINPODS +MAXPODS +REPLICAS +AGE *\nload +Deployment\/load +memory: \d+\/128Ki +1 +2 +2 +\S+ *\n$/, eventually: true, seconds: 120 },
    { verb: "describe", only: ["1.32", "1.36"], command: "describe hpa load", stdout: /ScalingActive +True +ValidMetricFound +the HPA was able to successfully calculate a replica count from memory resource\n[\s\S]*Normal +SuccessfulRescale .*New size: 2; reason: memory resource above target/, eventually: true },
    { verb: "delete", command: "delete hpa,deployment load", stdout: /horizontalpodautoscaler\.autoscaling "load" deleted[\s\S]*deployment\.apps "load" deleted/ }
  ]
}]
