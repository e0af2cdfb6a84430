import type { Scenario } from "../../src/Conformance.js"

const crd = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: widgets.$NS.example.com }
spec:
  group: $NS.example.com
  scope: Namespaced
  names: { plural: widgets, singular: widget, kind: Widget, shortNames: [wd] }
  versions:
    - name: v1
      served: true
      storage: true
      subresources: { status: {} }
      additionalPrinterColumns: [{ name: Size, type: integer, jsonPath: .spec.size }]
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: { type: object, properties: { size: { type: integer, minimum: 1, description: How big it is. } } }
            status: { type: object, x-kubernetes-preserve-unknown-fields: true }
`
const widget = (size: number) => `apiVersion: $NS.example.com/v1\nkind: Widget\nmetadata: { name: w1 }\nspec: { size: ${String(size)} }\n`

/** Discovery, explain, version, auth, custom resources. */
export const clusterWide: ReadonlyArray<Scenario> = [
  {
    name: "cluster",
    cases: [
      { verb: "version", command: "version", stdout: { "1.20": /Server Version: version\.Info\{Major:"1", Minor:"36"/, "1.32": /^Server Version: v1\.36\./m, "1.36": /^Server Version: v1\.36\./m }, stderr: { "1.20": "", "1.32": /^(WARNING: version difference between client \(1\.32\) and server \(1\.36\) exceeds the supported minor version skew of \+\/-1\n)?$/, "1.36": "" } },
      { verb: "cluster-info", command: "cluster-info", stdout: /Kubernetes control plane.* is running at .*https:\/\/127\.0\.0\.1:\d+/ },
      { verb: "api-versions", command: "api-versions", stdout: /^admissionregistration\.k8s\.io\/v1\n[\s\S]*^apps\/v1\n[\s\S]*^autoscaling\/v1\nautoscaling\/v2\nbatch\/v1\n[\s\S]*^v1\n$/m },
      { verb: "api-resources", command: "api-resources", stdout: { "1.20": /^NAME +SHORTNAMES +APIVERSION +NAMESPACED +KIND\nbindings +v1 +true +Binding\n/, "1.32": /^NAME +SHORTNAMES +APIVERSION +NAMESPACED +KIND\nbindings +v1 +true +Binding\n/, "1.36": /^NAME +SHORTNAMES +APIVERSION +NAMESPACED +KIND\nbindings +v1 +true +Binding\n/ } },
      { verb: "api-resources", command: "api-resources --api-group=apps -o name", stdout: "controllerrevisions.apps\ndaemonsets.apps\ndeployments.apps\nreplicasets.apps\nstatefulsets.apps\n" },
      { verb: "api-resources", command: "api-resources --namespaced=false --verbs=list --no-headers", stdout: /^namespaces +ns +v1 +false +Namespace$/m },
      { verb: "explain", command: "explain pod.spec.nodeName", stdout: /^KIND: +Pod\nVERSION: +v1\n\nFIELD: +nodeName <string>\n/ },
      { verb: "explain", command: "explain deployment.spec.replicas", stdout: { "1.20": /^KIND: +Deployment\nVERSION: +apps\/v1\n\nFIELD: +replicas <integer>\n/, "1.32": /^GROUP: +apps\nKIND: +Deployment\nVERSION: +v1\n\nFIELD: replicas <integer>\n/, "1.36": /^GROUP: +apps\nKIND: +Deployment\nVERSION: +v1\n\nFIELD: replicas <integer>\n/ } },
      { verb: "explain", command: "explain configmap --recursive", stdout: /binaryData\t<map\[string\](string|\[\]byte)>|binaryData\s+<map\[string\]string>/ },
      { verb: "explain", command: "explain pod.spec.nothing", code: 1, stderr: { "1.20": "error: field \"nothing\" does not exist\n", "1.32": "error: field \"nothing\" does not exist\n", "1.36": "error: field \"nothing\" does not exist\n" } },
      { verb: "auth can-i", command: "auth can-i create pods", stdout: "yes\n" },
      { verb: "auth can-i", command: "auth can-i create pods --as=nobody", code: 1, stdout: "no\n" },
      { verb: "auth can-i", command: "auth can-i list secrets --as=u", setup: ["create role reader --verb=list --resource=secrets", "create rolebinding reader --role=reader --user=u"], stdout: "yes\n", eventually: true },
      { verb: "auth can-i", command: "auth can-i --list", stdout: /^Resources +Non-Resource URLs +Resource Names +Verbs\n[\s\S]*\*\.\* +\[\] +\[\] +\[\*\]\n/ },
      { verb: "auth whoami", only: ["1.32", "1.36"], command: "auth whoami", stdout: /^ATTRIBUTE +VALUE\nUsername +kubernetes-admin\nGroups +\[\S*system:masters system:authenticated\]\n/ },
      { verb: "auth reconcile", command: "auth reconcile -f -", stdin: "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: { name: rec, namespace: $NS }\nrules: [{ apiGroups: [\"\"], resources: [pods], verbs: [get] }]\n", stdout: /^role\.rbac\.authorization\.k8s\.io\/rec reconciled\n/, stderr: /^\treconciliation required create\n\tmissing rules added:\n\t\t\{Verbs:\[get\] APIGroups:\[\] Resources:\[pods\] / },
      { verb: "get --as", command: "get pods --as=nobody", code: 1, stderr: "Error from server (Forbidden): pods is forbidden: User \"nobody\" cannot list resource \"pods\" in API group \"\" in the namespace \"$NS\"\n" },
      { verb: "certificate", command: "certificate approve nope", code: 1, stderr: /certificatesigningrequests\.certificates\.k8s\.io "nope" not found/ },
      { verb: "proxy", command: "proxy --port=0", until: /Starting to serve/, fetch: ["/api/v1/namespaces/default", /"name": ?"default"/], stdout: /^Starting to serve on 127\.0\.0\.1:\d+\n$/ }
    ]
  },
  {
    name: "custom",
    cases: [
      { verb: "custom resources", command: "apply -f -", stdin: crd, stdout: "customresourcedefinition.apiextensions.k8s.io/widgets.$NS.example.com created\n" },
      { verb: "custom resources", command: "wait --for=condition=Established crd/widgets.$NS.example.com --timeout=10s", stdout: "customresourcedefinition.apiextensions.k8s.io/widgets.$NS.example.com condition met\n" },
      { verb: "custom resources", command: "apply -f -", stdin: widget(3), stdout: "widget.$NS.example.com/w1 created\n", eventually: true },
      { verb: "custom resources", command: "get widgets", stdout: /^NAME +SIZE\nw1 +3\n$/, eventually: true },
      { verb: "custom resources", command: "get wd w1 -o jsonpath={.spec.size}", stdout: "3" },
      { verb: "custom resources", command: "apply -f -", stdin: widget(4), stdout: "widget.$NS.example.com/w1 configured\n" },
      { verb: "custom resources", command: "apply -f -", stdin: widget(0), code: 1, stderr: /The Widget "w1" is invalid: spec\.size: Invalid value: 0: spec\.size in body should be greater than or equal to 1\n$/ },
      { verb: "custom resources", command: "patch widget w1 --type=merge -p '{\"spec\":{\"size\":5}}'", stdout: "widget.$NS.example.com/w1 patched\n" },
      { verb: "custom resources", command: "explain widget.spec.size", stdout: /How big it is\./, eventually: true },
      { verb: "custom resources", command: "apply --server-side --force-conflicts -f -", stdin: widget(6), stdout: "widget.$NS.example.com/w1 serverside-applied\n" },
      { verb: "custom resources", command: "delete crd widgets.$NS.example.com", stdout: "customresourcedefinition.apiextensions.k8s.io \"widgets.$NS.example.com\" deleted\n", after: [["get crd widgets.$NS.example.com --ignore-not-found", ""]] }
    ]
  }
]
