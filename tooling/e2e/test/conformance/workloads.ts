import type { Scenario } from "../../src/Conformance.js"
import { deployment } from "./manifests.js"


const revision = (name: string, number: number, image: string): string => `apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: ${name}-r${String(number)}
  labels: { app: ${name}, pod-template-hash: r${String(number)} }
  annotations: { deployment.kubernetes.io/revision: "${String(number)}" }
  ownerReferences: [{ apiVersion: apps/v1, kind: Deployment, name: ${name}, uid: $UID, controller: true }]
spec:
  replicas: 0
  selector: { matchLabels: { app: ${name}, pod-template-hash: r${String(number)} } }
  template:
    metadata: { labels: { app: ${name}, pod-template-hash: r${String(number)} } }
    spec: { containers: [{ name: main, image: "${image}" }] }
`

const status = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"$NS"},"spec":{"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"main","image":"nginx:1"}]}}},"status":{"observedGeneration":$GENERATION}}`

/** scale, rollout, expose, autoscale, wait. Deployments ask for no pods, so that no node is needed. */
export const workloads: ReadonlyArray<Scenario> = [{
  name: "workloads",
  setup: [["create -f -", deployment("web")], ["create -f -", deployment("big", 1).replace("replicas: 1", "replicas: 1\n  paused: true").replace("metadata: { name: big,", "metadata: { name: big, annotations: { deployment.kubernetes.io/revision: \"2\" },")]],
  cases: [
    { verb: "scale", command: "scale deployment web --replicas=2", stdout: "deployment.apps/web scaled\n", after: [["get deploy web -o jsonpath={.spec.replicas}", "2"]] },
    { verb: "scale", command: "scale deployment web --current-replicas=5 --replicas=0", code: 1, stderr: /Expected replicas to be 5, was 2/ },
    { verb: "scale", command: "scale deployment web --current-replicas=2 --replicas=0", stdout: "deployment.apps/web scaled\n" },
    { verb: "scale", command: "scale deployment nope --replicas=2", code: 1, stderr: { "1.20": /deployments\.apps "nope" not found/, "1.32": /deployments\.apps "nope" not found/, "1.36": /deployments\.apps "nope" not found/ } },
    { verb: "rollout pause", command: "rollout pause deployment/web", stdout: "deployment.apps/web paused\n" },
    { verb: "rollout pause", command: "rollout pause deployment/web", code: 1, stderr: "error: deployments.apps \"web\" is already paused\n" },
    { verb: "rollout resume", command: "rollout resume deployment/web", stdout: "deployment.apps/web resumed\n" },
    { verb: "rollout restart", command: "rollout restart deployment/web", stdout: "deployment.apps/web restarted\n", after: [["get deploy web -o jsonpath={.spec.template.metadata.annotations}", /kubectl\.kubernetes\.io\/restartedAt/]] },
    { verb: "rollout history", command: "rollout history deployment/web", stdout: "deployment.apps/web \nNo rollout history found.\n" },
    {
      verb: "rollout history", command: "rollout history deployment/big", stdout: /^deployment\.apps\/big \nREVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>\n\n$/,
      variables: { UID: "get deployment big -o jsonpath={.metadata.uid}" },
      setup: [["create -f -", revision("big", 1, "nginx:0")], ["create -f -", revision("big", 2, "nginx:1")], "rollout resume deployment/big"]
    },
    { verb: "rollout history", command: "rollout history deployment/big --revision=1", stdout: /^deployment\.apps\/big with revision #1\nPod Template:\n {2}Labels:\tapp=big\n[\s\S]*Image:\tnginx:0\n/ },
    { verb: "rollout undo", command: "rollout undo deployment/big --to-revision=1", stdout: "deployment.apps/big rolled back\n", after: [["get deploy big -o jsonpath={.spec.template.spec.containers[*].image}", "nginx:0"]] },
    { verb: "rollout undo", command: "rollout undo deployment/big --to-revision=9", code: 1, stderr: "error: unable to find specified revision 9 in history\n" },
    { verb: "rollout status", command: "rollout status deployment/web --timeout=1s", code: 1, stdout: /^Waiting for deployment spec update to be observed\.\.\.\n/, stderr: /timed out waiting for the condition/ },
    {
      verb: "rollout status", command: "rollout status deployment/web", stdout: "deployment \"web\" successfully rolled out\n",
      variables: { GENERATION: "get deployment web -o jsonpath={.metadata.generation}" },
      setup: [["replace --raw /apis/apps/v1/namespaces/$NS/deployments/web/status -f -", status]]
    },
    { verb: "expose", command: "expose deployment web --port=80 --target-port=8080", stdout: "service/web exposed\n", after: [["get svc web -o jsonpath={.spec.ports[0].targetPort}{.spec.selector.app}", "8080web"]] },
    { verb: "expose", command: "expose deployment web --port=80", code: 1, stderr: "Error from server (AlreadyExists): services \"web\" already exists\n" },
    { verb: "autoscale", command: "autoscale deployment web --min=1 --max=3 --cpu-percent=80", stdout: "horizontalpodautoscaler.autoscaling/web autoscaled\n", after: [["get hpa web -o jsonpath={.spec.maxReplicas}", "3"]], stderr: /^(Flag --cpu-percent has been deprecated.*\n)?$/ },
    { verb: "wait", command: "wait --for=condition=Ready pod/none --timeout=2s", code: 1, stderr: "Error from server (NotFound): pods \"none\" not found\n" },
    { verb: "wait", command: "wait --for=delete configmap/none --timeout=5s", stdout: "", stderr: { "1.20": "error: no matching resources found\n", "1.32": "", "1.36": "" }, code: { "1.20": 1, "1.32": 0, "1.36": 0 } },
    { verb: "wait", only: ["1.32", "1.36"], command: "wait --for=jsonpath={.spec.replicas}=0 deployment/web --timeout=5s", stdout: "deployment.apps/web condition met\n" },
    { verb: "wait", command: "wait --for=condition=Nothing deployment/web --timeout=1s", code: 1, stderr: "error: timed out waiting for the condition on deployments/web\n" }
  ]
}]

