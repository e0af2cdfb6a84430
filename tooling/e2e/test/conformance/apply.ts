import type { Scenario } from "../../src/Conformance.js"
import { configMap, deployment } from "./manifests.js"

/** apply, client-side and server-side, with conflicts and dry runs; diff. */
export const applying: ReadonlyArray<Scenario> = [{
  name: "apply",
  files: { "one.yaml": configMap("settings", "one"), "two.yaml": configMap("settings", "two"), "web.yaml": deployment("web"), "web2.yaml": deployment("web").replace("nginx:1", "nginx:2") },
  cases: [
    { verb: "apply", command: "apply -f one.yaml", stdout: "configmap/settings created\n" },
    { verb: "apply", command: "apply -f one.yaml", stdout: "configmap/settings unchanged\n" },
    { verb: "apply --dry-run", command: "apply -f two.yaml --dry-run=server", stdout: "configmap/settings configured (server dry run)\n", after: [["get cm settings -o jsonpath={.data.key}", "one"]] },
    { verb: "diff", command: "diff -f two.yaml", code: 1, stdout: /^-  key: one\n\+  key: two\n/m },
    { verb: "diff", command: "diff -f one.yaml", stdout: "" },
    { verb: "diff --server-side", command: "diff --server-side --force-conflicts -f two.yaml", code: 1, stdout: /^-  key: one\n\+  key: two\n/m },
    { verb: "apply", command: "apply -f two.yaml", stdout: "configmap/settings configured\n", after: [["get cm settings -o jsonpath={.data.key}", "two"]] },
    { verb: "apply", command: "apply -f web.yaml", stdout: "deployment.apps/web created\n" },
    { verb: "apply", command: "apply -f web2.yaml", stdout: "deployment.apps/web configured\n", after: [["get deploy web -o jsonpath={.spec.template.spec.containers[*].image}", "nginx:2"]] },
    { verb: "apply view-last-applied", command: "apply view-last-applied cm/settings", stdout: /^apiVersion: v1\ndata:\n {2}key: two\nkind: ConfigMap\n/ },
    { verb: "apply set-last-applied", command: "apply set-last-applied -f one.yaml", stdout: "configmap/settings configured\n", after: [["apply view-last-applied cm/settings", /key: one/]] },
    { verb: "apply -l --prune", command: "apply -f - -l prune=$NS --prune --prune-allowlist=core/v1/ConfigMap", only: ["1.32", "1.36"], setup: [["apply -f -", configMap("pruned").replace("app: web", "prune: $NS")]], stdin: configMap("kept").replace("app: web", "prune: $NS"), stdout: "configmap/kept created\nconfigmap/pruned pruned\n" },
    { verb: "apply --server-side", command: "apply --server-side -f -", stdin: configMap("ssa", "one"), stdout: "configmap/ssa serverside-applied\n", after: [["get cm ssa -o yaml --show-managed-fields", { "1.20": "", "1.32": /managedFields:\n {2}- apiVersion: v1\n {4}fieldsType: FieldsV1\n {4}fieldsV1:\n {6}f:data:\n {8}f:key: \{\}\n/, "1.36": /managedFields:\n {2}- apiVersion: v1\n {4}fieldsType: FieldsV1\n {4}fieldsV1:\n {6}f:data:\n {8}f:key: \{\}\n/ }]] },
    { verb: "apply --server-side", command: "apply --server-side --field-manager=other -f -", stdin: configMap("ssa", "two"), code: 1, stderr: /^error: Apply failed with 1 conflict: conflict with "kubectl": \.data\.key\nPlease review the fields above--they currently have other managers\./ },
    { verb: "apply --server-side", command: "apply --server-side --field-manager=other --force-conflicts -f -", stdin: configMap("ssa", "two"), stdout: "configmap/ssa serverside-applied\n", after: [["get cm ssa -o jsonpath={.data.key}", "two"]] },
    { verb: "apply --server-side", command: "apply --server-side --field-manager=other -f -", stdin: "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ssa }\ndata: { more: x }\n", stdout: "configmap/ssa serverside-applied\n", after: [["get cm ssa -o jsonpath={.data.key}{.data.more}", "x"]] },
    { verb: "apply --server-side", command: "apply --server-side --dry-run=server -f -", stdin: configMap("ssa-dry"), stdout: "configmap/ssa-dry serverside-applied (server dry run)\n", after: [["get cm ssa-dry --ignore-not-found", ""]] },
    { verb: "apply --server-side", command: "apply --server-side -f web.yaml --force-conflicts", stdout: "deployment.apps/web serverside-applied\n", after: [["get deploy web -o jsonpath={.spec.template.spec.containers[*].image}", "nginx:1"]] }
  ]
}]
