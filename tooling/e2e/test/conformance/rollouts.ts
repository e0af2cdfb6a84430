import type { Scenario } from "../../src/Conformance.js"

const template = (app: string): string => `  selector: { matchLabels: { app: ${app} } }
  template:
    metadata: { labels: { app: ${app} } }
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{ name: main, image: "reddwarf.io/shell:1", command: ["/bin/sh", "-c", "while :; do sleep 1; done"] }]
`

const workload = (kind: string, app: string, spec = ""): string => `apiVersion: apps/v1\nkind: ${kind}\nmetadata: { name: ${app} }\nspec:\n${spec}${template(app)}`

const complete = (kind: string, name: string, seconds = 60): string => `rollout status ${kind}/${name} --timeout=${String(seconds)}s`
const namespaced = (text: string) => ({ "1.20": `${text}\n`, "1.32": `${text}\n`, "1.36": `${text} from $NS namespace\n` })

// kubectl compares texts to say that a rollback changes nothing, and those before 1.34 write a null more than the server does.
/** Pods that are replaced, on the demo's node: what `rollout` is for. */
export const rollouts: ReadonlyArray<Scenario> = [{
  name: "rollouts",
  setup: [
    ["create -f -", workload("Deployment", "web", "  replicas: 2\n")],
    ["create -f -", workload("StatefulSet", "db", "  replicas: 2\n  serviceName: db\n")],
    ["create -f -", workload("DaemonSet", "probe")]
  ],
  cases: [
    { verb: "rollout status", command: complete("deployment", "web"), stdout: /deployment "web" successfully rolled out\n$/ },
    { verb: "rollout status", command: complete("daemonset", "probe"), stdout: /daemon set "probe" successfully rolled out\n$/ },
    { verb: "rollout status", command: complete("statefulset", "db"), stdout: /partitioned roll out complete: 2 new pods have been updated\.\.\.\n$/ },
    { verb: "get", command: "get deployment web", stdout: /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +2\/2 +2 +2 +\S+\n$/ },
    { verb: "get", command: "get statefulset db", stdout: /^NAME +READY +AGE\ndb +2\/2 +\S+\n$/ },
    { verb: "get", command: "get daemonset probe", stdout: /^NAME +DESIRED +CURRENT +READY +UP-TO-DATE +AVAILABLE +NODE SELECTOR +AGE\nprobe +1 +1 +1 +1 +1 +<none> +\S+\n$/ },
    { verb: "get", command: "get pods -l app=db -o name", stdout: "pod/db-0\npod/db-1\n" },
    { verb: "get", command: "get pod db-1 -o jsonpath={.spec.hostname}.{.spec.subdomain}", stdout: "db-1.db" },
    { verb: "get", command: "get controllerrevisions", stdout: /^NAME +CONTROLLER +REVISION +AGE\ndb-[a-z0-9]+ +statefulset\.apps\/db +1 +\S+\nprobe-[a-z0-9]+ +daemonset\.apps\/probe +1 +\S+\n$/ },
    { verb: "set image", command: "set image deployment/web statefulset/db daemonset/probe main=reddwarf.io/shell:2", stdout: "deployment.apps/web image updated\nstatefulset.apps/db image updated\ndaemonset.apps/probe image updated\n" },
    { verb: "rollout status", command: complete("deployment", "web"), stdout: /deployment "web" successfully rolled out\n$/ },
    { verb: "rollout status", command: complete("daemonset", "probe"), stdout: /daemon set "probe" successfully rolled out\n$/ },
    { verb: "rollout status", command: complete("statefulset", "db"), stdout: /partitioned roll out complete: 2 new pods have been updated\.\.\.\n$/ },
    { verb: "get", command: "get pods -l 'app in (web,db,probe)' --sort-by=.metadata.name -o jsonpath={.items[*].spec.containers[*].image}", stdout: /^(reddwarf\.io\/shell:2 ?){5}$/, eventually: true },
    { verb: "rollout history", command: "rollout history statefulset/db", stdout: /^statefulset\.apps\/db \nREVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>\n\n$/ },
    { verb: "rollout history", command: "rollout history daemonset/probe --revision=1", stdout: /^daemonset\.apps\/probe with revision #1\nPod Template:\n[\s\S]*Image:\treddwarf\.io\/shell:1\n/ },
    { verb: "rollout undo", command: "rollout undo daemonset/probe --to-revision=2", stdout: { "1.20": "daemonset.apps/probe rolled back\n", "1.32": "daemonset.apps/probe rolled back\n", "1.36": "daemonset.apps/probe skipped rollback (current template already matches revision 2)\n" } },
    { verb: "rollout undo", command: "rollout undo daemonset/probe", stdout: "daemonset.apps/probe rolled back\n" },
    { verb: "rollout undo", command: "rollout undo statefulset/db", stdout: "statefulset.apps/db rolled back\n" },
    { verb: "rollout undo", command: complete("statefulset", "db"), stdout: /partitioned roll out complete: 2 new pods have been updated\.\.\.\n$/, after: [["get pod db-0 -o jsonpath={.spec.containers[*].image}", "reddwarf.io/shell:1"]] },
    { verb: "rollout restart", command: "rollout restart daemonset/probe", stdout: "daemonset.apps/probe restarted\n" },
    { verb: "rollout restart", command: complete("daemonset", "probe"), stdout: /daemon set "probe" successfully rolled out\n$/ },
    { verb: "scale", command: "scale statefulset db --replicas=1", stdout: "statefulset.apps/db scaled\n" },
    { verb: "scale", command: "get pods -l app=db -o name", stdout: "pod/db-0\n", eventually: true },
    { verb: "delete --cascade", command: "delete statefulset db --cascade=orphan", stdout: namespaced("statefulset.apps \"db\" deleted"), after: [["get pods -l app=db -o name", "pod/db-0\n"]] },
    { verb: "delete --cascade", command: "delete deployment web --cascade=background", stdout: namespaced("deployment.apps \"web\" deleted") },
    { verb: "delete", command: "delete daemonset probe", stdout: namespaced("daemonset.apps \"probe\" deleted") },
    { verb: "delete --cascade", command: "get pods -l 'app in (web,probe)' -o name", stdout: "", eventually: true },
    { verb: "delete", command: "delete pod db-0", stdout: namespaced("pod \"db-0\" deleted") }
  ]
}]
