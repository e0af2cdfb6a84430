import type { Scenario } from "../../src/Conformance.js"
import { configMap, deployment, pod } from "./manifests.js"

const age = String.raw`\d+[smh]\d*s?`

/** get in all its forms, describe, events. */
export const reading: ReadonlyArray<Scenario> = [{
  name: "get",
  setup: [["create -f -", pod("p1", "  nodeName: n1\n")], ["create -f -", configMap("settings")], ["create -f -", deployment("web")], "create service clusterip svc --tcp=80:8080"],
  cases: [
    { verb: "get", command: "get pods", stdout: new RegExp(`^NAME +READY +STATUS +RESTARTS +AGE\np1 +0/1 +Pending +0 +${age}\n$`) },
    { verb: "get", command: "get pod p1", stdout: /^NAME.*\np1 +0\/1 +Pending/ },
    { verb: "get", command: "get pods --no-headers", stdout: /^p1 / },
    { verb: "get", command: "get po/p1 cm/settings", stdout: /^NAME +READY +STATUS +RESTARTS +AGE\npod\/p1 .*\n\nNAME +DATA +AGE\nconfigmap\/settings +1 +\S+\n$/ },
    { verb: "get", command: "get pods --show-labels", stdout: /LABELS\np1 .* app=web\n$/ },
    { verb: "get", command: "get pods -L app", stdout: /AGE +APP\np1 .* web\n$/ },
    { verb: "get", command: "get pods --show-kind", stdout: /^pod\/p1 /m },
    { verb: "get", command: "get pods --sort-by=.metadata.name --chunk-size=0", stdout: /\np1 / },
    { verb: "get", command: "get all", stdout: /^pod\/p1 [\s\S]*\n\nNAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE\nservice\/svc +ClusterIP +10\.\S+ +<none> +80\/TCP +\S+\n\nNAME +READY +UP-TO-DATE +AVAILABLE +AGE\ndeployment\.apps\/web +0\/0 +0 +0 +\S+\n/m },
    { verb: "get", command: "get nothing", code: 1, stdout: "", stderr: "error: the server doesn't have a resource type \"nothing\"\n" },
    { verb: "get", command: "get pod nope", code: 1, stdout: "", stderr: "Error from server (NotFound): pods \"nope\" not found\n" },
    { verb: "get", command: "get pod nope --ignore-not-found", stdout: "" },
    { verb: "get", command: "get secrets -l never=there", stdout: "", stderr: "No resources found in $NS namespace.\n" },
    { verb: "get --field-selector", command: "get pods --field-selector spec.nodeName=n1,status.phase=Pending -o name", stdout: "pod/p1\n" },
    { verb: "get --field-selector", command: "get pods --field-selector nonsense=x", code: 1, stderr: "Error from server (BadRequest): Unable to find \"/v1, Resource=pods\" that match label selector \"\", field selector \"nonsense=x\": field label not supported: nonsense\n" },
    { verb: "get -A", command: "get pods -A", stdout: /^NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE\n(.*\n)*get-[\d-]+ +p1 / },
    { verb: "get -l", command: "get pods -l app=web,app!=x -o name", stdout: "pod/p1\n" },
    { verb: "get -l", command: "get pods -l 'app in (web,db),!tier' -o name", stdout: "pod/p1\n" },
    { verb: "get -l", command: "get pods -l 'app notin (web)' -o name", stdout: "" },
    { verb: "get -o custom-columns", command: "get pods -o custom-columns=N:.metadata.name,I:.spec.containers[0].image", stdout: "N     I\np1    nginx:1\n" },
    { verb: "get -o go-template", command: "get pod p1 -o 'go-template={{.metadata.name}} {{.kind}}'", stdout: "p1 Pod" },
    { verb: "get -o json", command: "get configmap settings -o json", stdout: /^\{\n {4}"apiVersion": "v1",\n {4}"data": \{\n {8}"key": "one"\n {4}\},\n {4}"kind": "ConfigMap",\n {4}"metadata": \{\n/ },
    { verb: "get -o json", command: "get pods,cm -o json", stdout: /^\{\n {4}"apiVersion": "v1",\n {4}"items": \[\n[\s\S]*"kind": "List",\n {4}"metadata": \{\n {8}"resourceVersion": ""/ },
    { verb: "get -o jsonpath", command: "get pods -o 'jsonpath={.items[*].metadata.name}'", stdout: "p1" },
    { verb: "get -o name", command: "get deploy,svc -o name", stdout: "deployment.apps/web\nservice/svc\n" },
    { verb: "get -o wide", command: "get pods -o wide", stdout: /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\np1 +0\/1 +Pending +0 +\S+ +<none> +n1 +<none> +<none>\n$/ },
    { verb: "get -o wide", command: "get deploy -o wide", stdout: /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE +CONTAINERS +IMAGES +SELECTOR\nweb +0\/0 +0 +0 +\S+ +main +nginx:1 +app=web\n$/ },
    { verb: "get -o wide", command: "get svc svc -o wide", stdout: /^NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE +SELECTOR\nsvc +ClusterIP +10\.\S+ +<none> +80\/TCP +\S+ +app=svc\n$/ },
    { verb: "get -o yaml", command: "get configmap settings -o yaml", stdout: /^apiVersion: v1\ndata:\n {2}key: one\nkind: ConfigMap\nmetadata:\n {2}creationTimestamp: "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"\n {2}labels:\n {4}app: web\n/ },
    { verb: "get -w", command: "get configmaps -w", until: /^later +1 /m, during: [["create -f -", configMap("later")]], stdout: /^settings +1 /m },
    { verb: "get -w", command: "get pods -w --output-watch-events", until: /^MODIFIED +p1 /m, during: ["label pod p1 seen=yes"], stdout: /^EVENT +NAME +READY +STATUS +RESTARTS +AGE\nADDED +p1 / },
    { verb: "get --raw", command: "get --raw /healthz", stdout: "ok" },
    { verb: "get --raw", command: "get --raw /readyz?verbose", stdout: /^\[\+\][\s\S]*readyz check passed\n$/ },
    { verb: "get --raw", command: "get --raw /api/v1/namespaces/$NS/configmaps/nope", code: 1, stderr: "Error from server (NotFound): configmaps \"nope\" not found\n" },
    { verb: "get --subresource", only: ["1.32", "1.36"], command: "get deployment web --subresource=scale -o jsonpath={.kind}{.status.selector}", stdout: "Scaleapp=web" },
    { verb: "get --subresource=scale (columns)", only: ["1.32", "1.36"], command: "get deployment web --subresource=scale", stdout: new RegExp(`^NAME +DESIRED +AVAILABLE +AGE\nweb +0 +0 +${age}\n$`) },
    { verb: "describe", command: "describe pod p1", stdout: /^Name: +p1\nNamespace: +get-[\d-]+\nPriority: +0\n(Service Account: +default\n)?Node: +n1\/?\nLabels: +app=web\n[\s\S]*Containers:\n {2}main:\n[\s\S]*QoS Class: +BestEffort\n[\s\S]*Events: +<none>\n$/ },
    { verb: "describe", command: "describe configmap settings", stdout: /^Name: +settings\nNamespace: +get-[\d-]+\nLabels: +app=web\nAnnotations: +<none>\n\nData\n====\nkey:\n----\none\n/ },
    { verb: "describe", command: "describe deployment web", stdout: /^Name: +web\n[\s\S]*Selector: +app=web\nReplicas: +0 desired \| 0 updated \| 0 total \| 0 available \| 0 unavailable\nStrategyType: +RollingUpdate\n[\s\S]*RollingUpdateStrategy: +25% max unavailable, 25% max surge\n/ },
    { verb: "describe", command: "describe service svc", stdout: /^Name: +svc\n[\s\S]*Type: +ClusterIP\n[\s\S]*TargetPort: +8080\/TCP\n/, stderr: { "1.20": "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\n", "1.32": "", "1.36": "" } },
    { verb: "describe", command: "describe namespace $NS", stdout: /^Name: +get-[\d-]+\nLabels: +kubernetes\.io\/metadata\.name=get-[\d-]+\nAnnotations: +<none>\nStatus: +Active\n\nNo resource quota\.\n\nNo LimitRange resource\.\n$/ },
    { verb: "describe", command: "describe pod nope", code: 1, stderr: "Error from server (NotFound): pods \"nope\" not found\n" },
    {
      verb: "events", only: ["1.32", "1.36"], command: "events --for configmap/settings", stdout: /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n\S+ +Normal +Seen +ConfigMap\/settings +looked at\n$/,
      setup: [["create -f -", "apiVersion: v1\nkind: Event\nmetadata: { name: settings.1, namespace: $NS }\ninvolvedObject: { apiVersion: v1, kind: ConfigMap, name: settings, namespace: $NS }\nreason: Seen\nmessage: looked at\ntype: Normal\nfirstTimestamp: 2026-01-01T00:00:00Z\nlastTimestamp: 2026-01-01T00:00:00Z\ncount: 1\n"]]
    },
    {
      verb: "get events", command: "get events --field-selector reason=Seen2", stdout: /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n\S+ +Warning +Seen2 +configmap\/settings +looked at\n$/,
      setup: [["create -f -", "apiVersion: v1\nkind: Event\nmetadata: { name: settings.2, namespace: $NS }\ninvolvedObject: { apiVersion: v1, kind: ConfigMap, name: settings, namespace: $NS }\nreason: Seen2\nmessage: looked at\ntype: Warning\nfirstTimestamp: 2026-01-01T00:00:00Z\nlastTimestamp: 2026-01-01T00:00:00Z\ncount: 1\n"]]
    }
  ]
}]
