import type { Scenario } from "../../src/Conformance.js"
import { configMap, deployment, pod } from "./manifests.js"

/** replace, edit, patch, label, annotate, set. */
export const changing: ReadonlyArray<Scenario> = [{
  name: "change",
  files: { "edit.sh": "#!/bin/sh\nsed -i 's/key: one/key: edited/' \"$1\"\n", "keep.sh": "#!/bin/sh\ntrue\n", "bad.sh": "#!/bin/sh\ntouch -c \"$1\"; sed -i 's/^  name: settings/  name: other/' \"$1\"\n" },
  setup: [["create -f -", configMap("settings")], ["create -f -", deployment("web")], ["create -f -", pod("p1")]],
  cases: [
    { verb: "edit", command: "edit cm settings", env: { KUBE_EDITOR: "$DIR/edit.sh" }, stdout: "configmap/settings edited\n", after: [["get cm settings -o jsonpath={.data.key}", "edited"]] },
    { verb: "edit", command: "edit cm settings", env: { KUBE_EDITOR: "$DIR/keep.sh" }, stdout: "", stderr: "Edit cancelled, no changes made.\n" },
    { verb: "replace", command: "replace -f -", stdin: configMap("settings", "replaced"), stdout: "configmap/settings replaced\n", after: [["get cm settings -o jsonpath={.data.key}", "replaced"]] },
    { verb: "replace", command: "replace -f -", stdin: configMap("nope"), code: 1, stderr: "Error from server (NotFound): error when replacing \"STDIN\": configmaps \"nope\" not found\n" },
    { verb: "replace", command: "replace -f -", stdin: configMap("settings").replace("metadata: {", "metadata: { resourceVersion: \"1\","), code: 1, stderr: "Error from server (Conflict): error when replacing \"STDIN\": Operation cannot be fulfilled on configmaps \"settings\": the object has been modified; please apply your changes to the latest version and try again\n" },
    { verb: "replace --force", command: "replace --force -f -", stdin: configMap("settings", "anew"), stdout: { "1.20": "configmap \"settings\" deleted\nconfigmap/settings replaced\n", "1.32": "configmap \"settings\" deleted\nconfigmap/settings replaced\n", "1.36": "configmap \"settings\" deleted from $NS namespace\nconfigmap/settings replaced\n" } },
    { verb: "patch", command: "patch cm settings -p '{\"data\":{\"a\":\"1\"}}'", stdout: "configmap/settings patched\n" },
    { verb: "patch", command: "patch cm settings -p '{\"data\":{\"a\":\"1\"}}'", stdout: "configmap/settings patched (no change)\n" },
    { verb: "patch", command: "patch cm settings --type=merge -p '{\"data\":{\"a\":null}}'", stdout: "configmap/settings patched\n", after: [["get cm settings -o jsonpath={.data.a}", ""]] },
    { verb: "patch", command: "patch cm settings --type=json -p '[{\"op\":\"replace\",\"path\":\"/data/key\",\"value\":\"j\"}]'", stdout: "configmap/settings patched\n", after: [["get cm settings -o jsonpath={.data.key}", "j"]] },
    { verb: "patch", command: "patch cm settings --type=json -p '[{\"op\":\"test\",\"path\":\"/data/key\",\"value\":\"no\"}]'", code: 1, stderr: { "1.20": "The request is invalid\n", "1.32": "The request is invalid: the server rejected our request due to an error in our request\n", "1.36": "The request is invalid: the server rejected our request due to an error in our request\n" } },
    { verb: "patch", command: "patch deployment web -p '{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"side\",\"image\":\"i\"}]}}}}'", stdout: "deployment.apps/web patched\n", after: [["get deploy web -o jsonpath={.spec.template.spec.containers[*].name}", "side main"]] },
    { verb: "patch", command: "patch cm nope -p '{}'", code: 1, stderr: "Error from server (NotFound): configmaps \"nope\" not found\n" },
    { verb: "patch --subresource", only: ["1.32", "1.36"], command: "patch deployment web --subresource=status --type=merge -p '{\"status\":{\"collisionCount\":3}}'", stdout: "deployment.apps/web patched\n", after: [["get deploy web -o jsonpath={.status.collisionCount}", "3"]] },
    { verb: "label", command: "label cm settings a=b", stdout: "configmap/settings labeled\n", after: [["get cm -l a=b -o name", "configmap/settings\n"]] },
    { verb: "label", command: "label cm settings a=c", code: 1, stderr: "error: 'a' already has a value (b), and --overwrite is false\n" },
    { verb: "label", command: "label cm settings a=c --overwrite", stdout: "configmap/settings labeled\n" },
    { verb: "label", command: "label cm settings a-", stdout: { "1.20": "configmap/settings labeled\n", "1.32": "configmap/settings unlabeled\n", "1.36": "configmap/settings unlabeled\n" } },
    { verb: "label", command: "label cm settings a=-bad-", code: 1, stderr: /invalid/ },
    { verb: "annotate", command: "annotate cm settings x.io/a=b", stdout: { "1.20": "configmap/settings annotated\n", "1.32": "configmap/settings annotated\n", "1.36": "configmap/settings annotated\n" } },
    { verb: "annotate", command: "annotate cm settings x.io/a-", stdout: "configmap/settings annotated\n", after: [["get cm settings -o jsonpath={.metadata.annotations}", ""]] },
    { verb: "set image", command: "set image deployment/web main=nginx:3", stdout: "deployment.apps/web image updated\n", after: [["get deploy web -o jsonpath={.spec.template.spec.containers[1].image}", "nginx:3"]] },
    { verb: "set image", command: "set image deployment/web none=nginx:3", code: 1, stderr: "error: unable to find container named \"none\"\n" },
    { verb: "set env", command: "set env deployment/web A=b", stdout: "deployment.apps/web env updated\n", after: [["set env deployment/web --list -c main", /^# deployments?[ /]web, container main\nA=b\n$/i]] },
    { verb: "set env", command: "set env deployment/web A-", stdout: "deployment.apps/web env updated\n" },
    { verb: "set resources", command: "set resources deployment/web --limits=cpu=100m", stdout: "deployment.apps/web resource requirements updated\n" },
    { verb: "set serviceaccount", command: "set serviceaccount deployment/web default", stdout: "deployment.apps/web serviceaccount updated\n" },
    { verb: "set selector", command: "set selector svc/sel a=b", setup: ["create service clusterip sel --tcp=80"], stdout: "service/sel selector updated\n" },
    { verb: "set subject", command: "set subject rolebinding/rb --user=u2", setup: ["create rolebinding rb --clusterrole=view --user=u1"], stdout: "rolebinding.rbac.authorization.k8s.io/rb subjects updated\n" }
  ]
}]
