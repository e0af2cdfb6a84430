import type { Scenario } from "../../src/Conformance.js"
import { pod } from "./manifests.js"

/** A request for CN=jane, O=devs, signed with its own key. */
const request = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIYU1JR0FBZ0VBTUI0eERUQUxCZ05WQkFvTUJHUmxkbk14RFRBTEJnTlZCQU1NQkdwaGJtVXdXVEFUQmdjcQpoa2pPUFFJQkJnZ3Foa2pPUFFNQkJ3TkNBQVI4bklhdUppRko5dEQvQjQ5NWJDZWZyMmlDU2E4Z3JZN3JzYVlrCmQvNk5BREpGR01rVzAyUmlLRHBpb1BzU0pNSkVQRVd1Q3NRS3NUYjA1R2dqcDBxZm9BQXdDZ1lJS29aSXpqMEUKQXdJRFNRQXdSZ0loQU1LOVhTQ2tDSTM1T3Rad0htM0ZEZFVGd3Y0c1lRaS80MnRaTTByc2YzZXZBaUVBajB5eQpRdm8reUdLa3RoaFVEazJ0ZVIvc2hGVXQ0ZjBiZ29CT0tlT2tINW89Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo="

const signingRequest = (name: string): string =>
  `apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\nmetadata: { name: ${name} }\nspec:\n  request: ${request}\n  signerName: kubernetes.io/kube-apiserver-client\n  expirationSeconds: 7200\n  usages: [client auth]\n`

const byHand = `apiVersion: v1
kind: Service
metadata: { name: manual }
spec: { ports: [{ port: 80 }] }
---
apiVersion: v1
kind: Endpoints
metadata: { name: manual }
subsets: [{ addresses: [{ ip: 10.1.2.3 }], ports: [{ port: 80 }] }]
`

const volume = `apiVersion: v1
kind: PersistentVolume
metadata: { name: $NS }
spec: { capacity: { storage: 2Gi }, accessModes: [ReadWriteOnce], storageClassName: $NS, hostPath: { path: /data } }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data }
spec: { storageClassName: $NS, accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
`

const roles = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: $NS-whole }
aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part-of: $NS } }] }
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: $NS-part, labels: { part-of: $NS } }
rules: [{ apiGroups: [""], resources: [pods], verbs: [get] }]
`

/** What the controllers of the cluster do where no node is needed: quotas, certificates, endpoints, volumes, roles. */
export const controlled: ReadonlyArray<Scenario> = [{
  name: "controlled",
  setup: ["create quota few --hard=secrets=1,pods=1", "create quota cpu --hard=limits.cpu=1"],
  cases: [
    { verb: "resource quotas", command: "create secret generic s1", stdout: "secret/s1 created\n" },
    { verb: "resource quotas", command: "create secret generic s2", code: 1, stderr: /secrets "s2" is forbidden: exceeded quota: few, requested: secrets=1, used: secrets=1, limited: secrets=1\n$/ },
    {
      verb: "resource quotas", command: "create -f -", stdin: pod("p1"), code: 1,
      stderr: "Error from server (Forbidden): error when creating \"STDIN\": pods \"p1\" is forbidden: failed quota: cpu: must specify limits.cpu for: main\n"
    },
    { verb: "resource quotas", command: "describe quota few", stdout: /^Name: +few\nNamespace: +\S+\nResource +Used +Hard\n-+ +-+ +-+\npods +0 +1\nsecrets +1 +1\n$/, eventually: true },
    { verb: "resource quotas", command: "delete quota few cpu", stdout: /^resourcequota "few" deleted/ },
    { verb: "certificate", command: "get csr $NS", setup: [["create -f -", signingRequest("$NS")]], stdout: /\n\S+ +\S+ +kubernetes\.io\/kube-apiserver-client +kubernetes-admin +120m +Pending\n$/ },
    { verb: "certificate", command: "certificate approve $NS", stdout: "certificatesigningrequest.certificates.k8s.io/$NS approved\n" },
    { verb: "certificate", command: "get csr $NS", stdout: / Approved,Issued\n$/, eventually: true },
    { verb: "certificate", command: "certificate deny $NS-no", setup: [["create -f -", signingRequest("$NS-no")]], stdout: "certificatesigningrequest.certificates.k8s.io/$NS-no denied\n" },
    { verb: "certificate", command: "get csr $NS-no", stdout: / Denied\n$/ },
    { verb: "delete", command: "delete csr $NS $NS-no", stdout: /^certificatesigningrequest\.certificates\.k8s\.io "\S+" deleted/ },
    {
      verb: "get endpointslices", command: "get endpointslices -l kubernetes.io/service-name=manual -o jsonpath={.items[*].endpoints[*].addresses[*]}",
      setup: [["create -f -", byHand]], stdout: "10.1.2.3", eventually: true
    },
    { verb: "get pvc", command: "get pvc data", setup: [["create -f -", volume]], stdout: /\ndata +Bound +\S+ +2Gi +RWO +\S+ /, eventually: true, after: [["get pv $NS", /\n\S+ +2Gi +RWO +Retain +Bound +\S+\/data +/]] },
    { verb: "get pvc", command: "delete pvc data", stdout: /^persistentvolumeclaim "data" deleted/ },
    { verb: "get pvc", command: "get pv $NS", stdout: / Released /, eventually: true, after: [["delete pv $NS", /deleted/]] },
    { verb: "aggregated roles", command: "get clusterrole $NS-whole -o jsonpath={.rules[*].resources[*]}", setup: [["create -f -", roles]], stdout: "pods", eventually: true, after: [["delete clusterrole $NS-whole $NS-part", /deleted/]] },
    { verb: "create job", command: "get pods -l job-name=j1 -o jsonpath={.items[*].status.phase}", setup: ["create job j1 --image=busybox:1 -- true"], stdout: "Pending", eventually: true },
    { verb: "create job", command: "delete job j1", stdout: /^job\.batch "j1" deleted/ },
    { verb: "create job", command: "get pods -l job-name=j1 --ignore-not-found", stdout: "", stderr: /^(No resources found.*\n)?$/, eventually: true }
  ]
}]

const indexed = `apiVersion: batch/v1
kind: Job
metadata: { name: many }
spec:
  completions: 3
  parallelism: 3
  completionMode: Indexed
  template:
    spec:
      restartPolicy: Never
      containers: [{ name: main, image: "reddwarf.io/shell:1", command: ["/bin/sh", "-c", "echo index $JOB_COMPLETION_INDEX"] }]
`

const failing = `apiVersion: batch/v1
kind: Job
metadata: { name: failing }
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{ name: main, image: "reddwarf.io/shell:1", command: ["/bin/sh", "-c", "exit 7"] }]
`

const guarded = `apiVersion: v1
kind: Pod
metadata: { name: guarded, labels: { app: guarded } }
spec:
  terminationGracePeriodSeconds: 1
  containers: [{ name: main, image: "reddwarf.io/shell:1", command: ["/bin/sh", "-c", "while :; do sleep 1; done"], ports: [{ name: http, containerPort: 80 }] }]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: guard }
spec: { minAvailable: 1, selector: { matchLabels: { app: guarded } } }
---
apiVersion: v1
kind: Service
metadata: { name: guarded }
spec: { selector: { app: guarded }, ports: [{ port: 80, targetPort: http }] }
`

const eviction = `{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"guarded","namespace":"$NS"}}`

/** Jobs, budgets and endpoints of pods that run. */
export const controlledOnNodes: ReadonlyArray<Scenario> = [{
  name: "jobs",
  cases: [
    { verb: "create job", command: "create job hi --image=reddwarf.io/shell:1 -- /bin/sh -c 'echo hi'", stdout: "job.batch/hi created\n" },
    { verb: "wait", command: "wait --for=condition=complete job/hi --timeout=60s", stdout: "job.batch/hi condition met\n" },
    { verb: "logs", command: "logs job/hi", stdout: "hi\n", eventually: true },
    { verb: "get", command: "get job hi", stdout: /^NAME +STATUS +COMPLETIONS +DURATION +AGE\nhi +Complete +1\/1 +\d+s +\d+s\n$/ },
    { verb: "describe", command: "describe job hi", stdout: /Pods Statuses: +0 (Active|Running)( \(0 Ready\))? \/ 1 Succeeded \/ 0 Failed\n[\s\S]*job-controller +Created pod: hi-\S+\n[\s\S]*job-controller +Job completed\n$/, eventually: true },
    { verb: "wait", command: "wait --for=condition=complete job/many --timeout=60s", setup: [["create -f -", indexed]], stdout: "job.batch/many condition met\n" },
    { verb: "logs -l", command: "logs -l job-name=many --tail=-1", stdout: /^index \d\nindex \d\nindex \d\n$/, eventually: true },
    { verb: "wait", command: "wait --for=condition=failed job/failing --timeout=60s", setup: [["create -f -", failing]], stdout: "job.batch/failing condition met\n", after: [["get job failing -o 'jsonpath={.status.failed}{.status.conditions[?(@.type==\"Failed\")].reason}'", "1BackoffLimitExceeded"]] },
    { verb: "delete", command: "delete job hi many failing", stdout: /^job\.batch "hi" deleted/ },
    { verb: "delete", command: "get pods --ignore-not-found", stdout: "", stderr: /^(No resources found.*\n)?$/, eventually: true },
    { verb: "evict", command: "get pdb guard", setup: [["create -f -", guarded], "wait --for=condition=Ready pod/guarded --timeout=60s"], stdout: /\nguard +1 +N\/A +0 /, eventually: true },
    { verb: "evict", command: "create --raw /api/v1/namespaces/$NS/pods/guarded/eviction -f -", stdin: eviction, code: 1, stderr: /Cannot evict pod as it would violate the pod's disruption budget\./ },
    { verb: "get endpointslices", command: "get endpointslices -l kubernetes.io/service-name=guarded -o jsonpath={.items[*].endpoints[*].targetRef.name}:{.items[*].endpoints[*].conditions.ready}", stdout: "guarded:true", eventually: true },
    { verb: "delete", command: "delete pod/guarded pdb/guard service/guarded", stdout: /^pod "guarded" deleted/ }
  ]
}]
