import type { Scenario } from "../../src/Conformance.js"
import { deployment } from "./manifests.js"

const replicationController = "apiVersion: v1\nkind: ReplicationController\nmetadata: { name: old }\nspec:\n  replicas: 0\n  selector: { app: old }\n  template:\n    metadata: { labels: { app: old } }\n    spec: { containers: [{ name: main, image: \"nginx:1\" }] }\n"

/** scale, rollout, expose, autoscale, wait. Most Deployments ask for no pods, so that no node is needed. */
export const workloads: ReadonlyArray<Scenario> = [{
  name: "workloads",
  setup: [["create -f -", deployment("web")], ["create -f -", deployment("big")], ["create -f -", deployment("slow", 1)], ["create -f -", replicationController]],
  cases: [
    { verb: "rollout status", command: "rollout status deployment/web", stdout: /deployment "web" successfully rolled out\n$/ },
    { verb: "rollout status", command: "rollout status deployment/slow --timeout=2s", code: 1, stdout: /Waiting for deployment "slow" rollout to finish: 0 of 1 updated replicas are available\.\.\.\n/, stderr: /timed out waiting for the condition/ },
    { verb: "scale", command: "scale deployment web --replicas=2", stdout: "deployment.apps/web scaled\n", after: [["get deploy web -o jsonpath={.spec.replicas}", "2"]] },
    { verb: "scale", command: "get replicaset -l app=web -o jsonpath={.items[*].spec.replicas}", stdout: "2", eventually: true },
    { verb: "scale", command: "get pods -l app=web -o name", stdout: /^(pod\/web-[a-z0-9]+-[a-z0-9]{5}\n){2}$/, eventually: true },
    { verb: "scale", command: "scale deployment web --current-replicas=5 --replicas=0", code: 1, stderr: /Expected replicas to be 5, was 2/ },
    { verb: "scale", command: "scale deployment web --current-replicas=2 --replicas=0", stdout: "deployment.apps/web scaled\n" },
    { verb: "scale", command: "scale deployment nope --replicas=2", code: 1, stderr: { "1.20": /deployments\.apps "nope" not found/, "1.32": /deployments\.apps "nope" not found/, "1.36": /deployments\.apps "nope" not found/ } },
    { verb: "scale", command: "scale rc old --replicas=1", stdout: /^replicationcontroller\/old scaled\n$/, after: [["get rc old -o jsonpath={.spec.replicas}", "1"]] },
    { verb: "scale", command: "get pods -l app=old -o name", stdout: /^pod\/old-[a-z0-9]{5}\n$/, eventually: true },
    { verb: "rollout pause", command: "rollout pause deployment/web", stdout: "deployment.apps/web paused\n" },
    { verb: "rollout pause", command: "rollout pause deployment/web", code: 1, stderr: "error: deployments.apps \"web\" is already paused\n" },
    { verb: "rollout pause", command: "get deployment web -o jsonpath={.status.conditions[*].reason}", stdout: /\bDeploymentPaused\b/, eventually: true },
    { verb: "rollout resume", command: "rollout resume deployment/web", stdout: "deployment.apps/web resumed\n" },
    { verb: "rollout restart", command: "rollout restart deployment/web", stdout: "deployment.apps/web restarted\n", after: [["get deploy web -o jsonpath={.spec.template.metadata.annotations}", /kubectl\.kubernetes\.io\/restartedAt/]] },
    { verb: "rollout history", command: "rollout history deployment/web", stdout: /^deployment\.apps\/web \nREVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>\n\n$/, eventually: true },
    { verb: "rollout history", command: "rollout history deployment/big", stdout: /^deployment\.apps\/big \nREVISION +CHANGE-CAUSE\n1 +<none>\n2 +second\n\n$/, setup: ["rollout status deployment/big", "set image deployment/big main=nginx:2", "annotate deployment/big kubernetes.io/change-cause=second"], eventually: true },
    { verb: "rollout history", command: "rollout history deployment/big --revision=1", stdout: /^deployment\.apps\/big with revision #1\nPod Template:\n {2}Labels:\tapp=big\n\tpod-template-hash=[a-z0-9]+\n[\s\S]*Image:\tnginx:1\n/ },
    { verb: "rollout undo", command: "rollout undo deployment/big --to-revision=1", stdout: "deployment.apps/big rolled back\n", after: [["get deploy big -o jsonpath={.spec.template.spec.containers[*].image}", "nginx:1"]] },
    { verb: "rollout undo", command: "rollout history deployment/big", stdout: /^deployment\.apps\/big \nREVISION +CHANGE-CAUSE\n2 +second\n3 +<none>\n\n$/, eventually: true },
    { verb: "rollout undo", command: "rollout undo deployment/big --to-revision=9", code: 1, stderr: "error: unable to find specified revision 9 in history\n" },
    { verb: "describe", command: "describe deployment slow", stdout: /\nConditions:\n {2}Type +Status +Reason\n {2}-+ +-+ +-+\n {2}(Available +False +MinimumReplicasUnavailable|Progressing +True +(ReplicaSetUpdated|NewReplicaSetCreated))\n[\s\S]*\nNewReplicaSet: +slow-[a-z0-9]+ \(1\/1 replicas created\)\n[\s\S]*Normal +ScalingReplicaSet +\S+ +deployment-controller +Scaled up replica set slow-[a-z0-9]+ (from 0 )?to 1\n/, eventually: true },
    { verb: "expose", command: "expose deployment web --port=80 --target-port=8080", stdout: "service/web exposed\n", after: [["get svc web -o jsonpath={.spec.ports[0].targetPort}{.spec.selector.app}", "8080web"]] },
    { verb: "expose", command: "expose deployment web --port=80", code: 1, stderr: "Error from server (AlreadyExists): services \"web\" already exists\n" },
    { verb: "autoscale", command: "autoscale deployment web --min=1 --max=3 --cpu-percent=80", stdout: "horizontalpodautoscaler.autoscaling/web autoscaled\n", after: [["get hpa web -o jsonpath={.spec.maxReplicas}", "3"]], stderr: /^(Flag --cpu-percent has been deprecated.*\n)?$/ },
    { verb: "wait", command: "wait --for=condition=Available deployment/big --timeout=15s", stdout: "deployment.apps/big condition met\n" },
    { verb: "wait", command: "wait --for=condition=Ready pod/none --timeout=2s", code: 1, stderr: "Error from server (NotFound): pods \"none\" not found\n" },
    { verb: "wait", command: "wait --for=delete configmap/none --timeout=5s", stdout: "", stderr: { "1.20": "error: no matching resources found\n", "1.32": "", "1.36": "" }, code: { "1.20": 1, "1.32": 0, "1.36": 0 } },
    { verb: "wait", only: ["1.32", "1.36"], command: "wait --for=jsonpath={.spec.replicas}=0 deployment/web --timeout=5s", stdout: "deployment.apps/web condition met\n" },
    { verb: "wait", command: "wait --for=condition=Nothing deployment/web --timeout=1s", code: 1, stderr: "error: timed out waiting for the condition on deployments/web\n" },
    { verb: "delete --cascade", command: "get pods -l app=slow -o name", setup: ["delete deployment slow"], stdout: "", eventually: true }
  ]
}]
