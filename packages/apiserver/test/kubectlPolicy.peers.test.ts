/** Real kubectl: permissions, roles, and the kinds of the groups around the workloads. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { layerServer } from "./support/http.js"
import { isMissing, peers, setup } from "./support/kubectl.js"

const policies = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web }
spec:
  ingressClassName: nginx
  rules: [{ host: x.example.com, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] } }]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: deny }
spec: { podSelector: { matchLabels: { app: web } } }
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: fast, annotations: { storageclass.kubernetes.io/is-default-class: "true" } }
provisioner: example.com/disk
---
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: { name: zone }
handler: zone
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: web-1, labels: { kubernetes.io/service-name: web } }
addressType: IPv4
ports: [{ port: 80 }]
endpoints: [{ addresses: ["10.1.2.3"] }]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: { name: hook }
webhooks:
- name: a.example.com
  sideEffects: None
  admissionReviewVersions: [v1]
  clientConfig: { url: "https://127.0.0.1:1/x" }
  rules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods] }]
`

describe.skipIf(peers === undefined)("kubectl (skipped unless REDDWARF_PEERS names a folder with bin/kubectl-<version>)", () => {
  for (const version of ["1.20", "1.32", "1.36"]) {
    it.scopedLive.skipIf(isMissing(version))(`${version} asks for permissions and grants them`, () =>
      Effect.gen(function*() {
        const { file, ok, run } = yield* setup(version)
        assert.include(yield* ok("auth", "can-i", "create", "pods"), "yes")
        assert.match(yield* ok("auth", "can-i", "--list"), /\*\.\*\s+\[\]\s+\[\]\s+\[\*\]/)
        if (version !== "1.20") assert.match(yield* ok("auth", "whoami"), /kubernetes-admin[\s\S]*system:masters/)
        assert.include((yield* run("auth", "can-i", "list", "pods", "--as", "dev")).out, "no")
        yield* ok("create", "role", "reader", "--verb=get,list", "--resource=pods,pods/log")
        yield* ok("create", "rolebinding", "readers", "--role=reader", "--user=dev", "--serviceaccount=default:robot")
        assert.include(yield* ok("auth", "can-i", "list", "pods", "--as", "dev"), "yes")
        assert.include(yield* ok("auth", "can-i", "get", "pods/log", "--as", "system:serviceaccount:default:robot"), "yes")
        assert.include((yield* run("auth", "can-i", "list", "pods", "--as", "dev", "-n", "kube-system")).out, "no")
        assert.match(yield* ok("get", "rolebindings", "-o", "wide"), /readers\s+Role\/reader\s+\S+\s+dev\s+default\/robot/)
        assert.include(yield* ok("describe", "role", "reader"), "pods/log")
        yield* ok("create", "clusterrole", "metrics", "--verb=get", "--non-resource-url=/metrics")
        yield* ok("create", "clusterrolebinding", "metrics", "--clusterrole=metrics", "--group=devs")
        assert.include(yield* ok("auth", "can-i", "get", "/metrics", "--as", "x", "--as-group", "devs"), "yes")
        const refused = yield* run("get", "secrets", "--as", "dev")
        assert.include(refused.out, "Error from server (Forbidden): secrets is forbidden: User \"dev\" cannot list resource \"secrets\"")
        const reconcile = file("rbac.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: { name: reader, namespace: default }\nrules: [{ apiGroups: [\"\"], resources: [pods], verbs: [watch] }]\n")
        assert.include(yield* ok("auth", "reconcile", "-f", reconcile), "reconciled")
      }).pipe(Effect.provide(layerServer())), 60_000)

    it.scopedLive.skipIf(isMissing(version))(`${version} shows the kinds of the groups around the workloads`, () =>
      Effect.gen(function*() {
        const { file, ok, run } = yield* setup(version)
        yield* ok("create", "priorityclass", "high", "--value=1000")
        assert.match(yield* ok("get", "priorityclasses"), /high\s+1000\s+false/)
        // kubectl 1.20 has a command for it, which writes a version that servers have not known since 1.25.
        const budget = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: { name: pdb }\nspec: { minAvailable: 50%, selector: { matchLabels: { app: web } } }\n"
        yield* version === "1.20"
          ? ok("create", "-f", file("pdb.yaml", budget))
          : ok("create", "poddisruptionbudget", "pdb", "--selector=app=web", "--min-available=50%")
        assert.match(yield* ok("get", "pdb"), /pdb\s+50%\s+N\/A\s+0/)
        yield* ok("apply", "-f", file("policies.yaml", policies))
        assert.include(yield* ok("apply", "-f", file("policies.yaml", policies)), "ingress.networking.k8s.io/web unchanged")
        assert.match(yield* ok("get", "ingress"), /web\s+nginx\s+x\.example\.com\s+80/)
        assert.match(yield* ok("get", "netpol"), /deny\s+app=web/)
        assert.match(yield* ok("get", "sc"), /fast \(default\)\s+example\.com\/disk\s+Delete\s+Immediate\s+false/)
        assert.match(yield* ok("get", "runtimeclass"), /zone\s+zone/)
        assert.match(yield* ok("get", "endpointslices"), /web-1\s+IPv4\s+80\s+10\.1\.2\.3/)
        assert.match(yield* ok("get", "validatingwebhookconfigurations"), /hook\s+1/)
        assert.include((yield* run("patch", "storageclass", "fast", "-p", "{\"provisioner\":\"x/y\"}")).out, "updates to provisioner are forbidden.")
        yield* ok("create", "deployment", "web", "--image=nginx")
        yield* ok("autoscale", "deployment", "web", "--min=1", "--max=3", "--cpu-percent=50")
        assert.match(yield* ok("get", "hpa"), /web\s+Deployment\/web\s+\S.*<unknown>\/50%\s+1\s+3\s+0/)
        assert.include(yield* ok("get", "horizontalpodautoscalers.v1.autoscaling", "web", "-o", "yaml"), "targetCPUUtilizationPercentage: 50")
        assert.include(yield* ok("describe", "hpa", "web"), "web")
        assert.include(yield* ok("get", "events.events.k8s.io"), "No resources found")
        assert.include(yield* ok("explain", "ingress.spec.rules"), "rules")
      }).pipe(Effect.provide(layerServer())), 60_000)
  }
})
