import type { Case, Scenario } from "../../src/Conformance.js"
import { configMap, deployment, pod } from "./manifests.js"

const made = (verb: string, args: string, stdout: string, extra: Partial<Case> = {}): Case => ({ verb: `create ${verb}`, command: `create ${verb} ${args}`, stdout: `${stdout} created\n`, ...extra })

/** create, for every kind that kubectl has a generator for, and from files. */
export const creating: ReadonlyArray<Scenario> = [{
  name: "create",
  files: { "key.txt": "from a file", "all.yaml": `${configMap("of-file")}---\n${deployment("of-file")}` },
  cases: [
    made("namespace", "$NS-x", "namespace/$NS-x"),
    made("configmap", "c1 --from-literal=a=b --from-file=key.txt", "configmap/c1", { after: [["get cm c1 -o 'jsonpath={.data}'", /^\{"a":"b","key\.txt":"from a file"\}$|^map\[a:b key\.txt:from a file\]$/]] }),
    { verb: "create configmap", command: "create configmap c1", code: 1, stderr: { "1.20": /configmaps "c1" already exists\n$/, "1.32": "error: failed to create configmap: configmaps \"c1\" already exists\n", "1.36": "error: failed to create configmap: configmaps \"c1\" already exists\n" } },
    made("secret generic", "s1 --from-literal=a=b", "secret/s1", { after: [["get secret s1", /^NAME +TYPE +DATA +AGE\ns1 +Opaque +1 /], ["get secret s1 -o jsonpath={.data.a}", "Yg=="]] }),
    made("secret docker-registry", "s2 --docker-server=r.example --docker-username=u --docker-password=p", "secret/s2", { after: [["get secret s2 -o jsonpath={.type}", "kubernetes.io/dockerconfigjson"]] }),
    made("serviceaccount", "sa1", "serviceaccount/sa1"),
    made("role", "r1 --verb=get,list --resource=pods", "role.rbac.authorization.k8s.io/r1", { after: [["get role r1 -o 'jsonpath={.rules[0].verbs}'", /^\["get","list"\]$|^\[get list\]$/]] }),
    made("rolebinding", "rb1 --role=r1 --serviceaccount=$NS:sa1", "rolebinding.rbac.authorization.k8s.io/rb1", { after: [["get rolebinding rb1 -o wide", /^NAME +ROLE +AGE +USERS +GROUPS +SERVICEACCOUNTS\nrb1 +Role\/r1 +\S+ +create-[\d-]+\/sa1\n$/]] }),
    made("clusterrole", "$NS-cr --verb=get --resource=nodes", "clusterrole.rbac.authorization.k8s.io/$NS-cr"),
    made("clusterrolebinding", "$NS-crb --clusterrole=$NS-cr --user=u", "clusterrolebinding.rbac.authorization.k8s.io/$NS-crb"),
    made("quota", "q1 --hard=pods=100", "resourcequota/q1"),
    made("poddisruptionbudget", "pdb1 --selector=app=x --min-available=1", "poddisruptionbudget.policy/pdb1", { only: ["1.32", "1.36"], after: [["get pdb pdb1", /^NAME +MIN AVAILABLE +MAX UNAVAILABLE +ALLOWED DISRUPTIONS +AGE\npdb1 +1 +N\/A +0 /]] }),
    { verb: "create poddisruptionbudget", only: ["1.20"], refusedTo: ["1.20"], command: "create poddisruptionbudget pdb1 --selector=app=x --min-available=1", code: 1, stderr: "error: no matches for kind \"PodDisruptionBudget\" in version \"policy/v1beta1\"\n" },
    made("priorityclass", "$NS-pc --value=10", "priorityclass.scheduling.k8s.io/$NS-pc"),
    made("ingress", "i1 --rule=a.example/=svc:80", "ingress.networking.k8s.io/i1", { after: [["get ingress i1", /^NAME +CLASS +HOSTS +ADDRESS +PORTS +AGE\ni1 +<none> +a\.example +80 /]] }),
    made("job", "j1 --image=busybox:1 -- true", "job.batch/j1", { after: [["get job j1 -o 'jsonpath={.spec.template.spec.containers[0].command[0]}'", "true"]] }),
    made("cronjob", "cj1 --image=busybox:1 --schedule='*/5 * * * *'", "cronjob.batch/cj1", { only: ["1.32", "1.36"], after: [["get cronjob cj1", /\ncj1 +\*\/5 \* \* \* \* +(<none> +)?False +0 +<none> /]] }),
    { verb: "create cronjob", only: ["1.20"], refusedTo: ["1.20"], command: "create cronjob cj1 --image=busybox:1 --schedule='*/5 * * * *'", code: 1, stderr: /the server could not find the requested resource/ },
    made("job --from", "j2 --from=cronjob/cj1", "", { command: "create job j2 --from=cronjob/cj1", stdout: "job.batch/j2 created\n", only: ["1.32", "1.36"] }),
    made("deployment", "d1 --image=nginx:1 --replicas=0", "deployment.apps/d1", { after: [["get deploy d1 -o jsonpath={.spec.progressDeadlineSeconds}", "600"]] }),
    made("service clusterip", "sv1 --tcp=80:8080", "service/sv1"),
    made("service nodeport", "sv2 --tcp=80", "service/sv2", { after: [["get svc sv2", /\nsv2 +NodePort +10\.\S+ +<none> +80:3\d{4}\/TCP /]] }),
    made("service loadbalancer", "sv3 --tcp=80", "service/sv3", { after: [["get svc sv3", /\nsv3 +LoadBalancer +10\.\S+ +<pending> +80:3\d{4}\/TCP /]] }),
    made("service externalname", "sv4 --external-name=a.example", "service/sv4", { after: [["get svc sv4", /\nsv4 +ExternalName +<none> +a\.example +<none> /]] }),
    { verb: "create token", only: ["1.32", "1.36"], command: "create token sa1 --duration=1h", stdout: /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/ },
    { verb: "create token", only: ["1.32", "1.36"], command: "create token nobody", code: 1, stderr: "error: failed to create token: serviceaccounts \"nobody\" not found\n" },
    { verb: "create -f", command: "create -f all.yaml", stdout: "configmap/of-file created\ndeployment.apps/of-file created\n" },
    { verb: "create -f", command: "create -f all.yaml", code: 1, stderr: /^Error from server \(AlreadyExists\): error when creating "all\.yaml": configmaps "of-file" already exists\nError from server \(AlreadyExists\): error when creating "all\.yaml": deployments\.apps "of-file" already exists\n$/ },
    { verb: "create -f", command: "create -f -", stdin: pod("Bad_Name"), code: 1, stderr: /^The Pod "Bad_Name" is invalid: metadata\.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of/ },
    { verb: "create -f", command: "create -f -", stdin: "apiVersion: v1\nkind: Pod\nmetadata: { name: x }\nspec: { containers: [] }\n", code: 1, stderr: "The Pod \"x\" is invalid: spec.containers: Required value\n" },
    { verb: "create -f", command: "create -f -", stdin: "apiVersion: example.com/v1\nkind: Nonsense\nmetadata: { name: x }\n", code: 1, stderr: /no matches for kind "Nonsense" in version "example\.com\/v1"/ },
    { verb: "create --validate", command: "create -f -", stdin: "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\nbogus: 1\n", code: 1, stderr: { "1.20": /error validating "STDIN": error validating data: ValidationError\(ConfigMap\): unknown field "bogus" in io\.k8s\.api\.core\.v1\.ConfigMap; if you choose to ignore these errors, turn validation off with --validate=false\n$/, "1.32": "Error from server (BadRequest): error when creating \"STDIN\": ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: unknown field \"bogus\"\n", "1.36": "Error from server (BadRequest): error when creating \"STDIN\": ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: unknown field \"bogus\"\n" } },
    { verb: "create --dry-run", command: "create configmap dry --from-literal=a=b --dry-run=server", stdout: "configmap/dry created (server dry run)\n", after: [["get cm dry --ignore-not-found", ""]] },
    { verb: "create --dry-run", command: "create configmap dry --dry-run=client -o name", stdout: "configmap/dry\n" },
    { verb: "run", command: "run runs --image=nginx:1 --port=80 --labels=a=b", stdout: "pod/runs created\n", after: [["get pod runs -o jsonpath={.metadata.labels.a}", "b"]] },
    { verb: "run", command: "run runs --image=nginx:1", code: 1, stderr: "Error from server (AlreadyExists): pods \"runs\" already exists\n" },
    { verb: "run", command: "run dry --image=nginx:1 --dry-run=server", stdout: "pod/dry created (server dry run)\n" }
  ]
}]
