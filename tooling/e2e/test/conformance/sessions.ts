import type { Scenario } from "../../src/Conformance.js"

const shell = (name: string, script: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name} }\nspec:\n  terminationGracePeriodSeconds: 1\n  restartPolicy: Never\n  containers: [{ name: main, image: "reddwarf.io/shell:1", stdin: true, stdinOnce: true, command: ["/bin/sh", "-c", ${JSON.stringify(script)}] }]\n`

const answer = "require('node:http').createServer((request, answer) => answer.end('hello from ' + request.url)).listen(8080, process.env.POD_IP)"

const web = `apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: "reddwarf.io/web:1"
      command: ["node", "-e", ${JSON.stringify(answer)}]
      env: [{ name: POD_IP, valueFrom: { fieldRef: { fieldPath: status.podIP } } }]
      ports: [{ containerPort: 8080 }]
`

const missing = "OCI runtime exec failed: exec failed: unable to start container process: exec: \"nosuch\": executable file not found in $PATH: unknown"
const prompt = "If you don't see a command prompt, try pressing enter.\n"
const recorded = "All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.\n"
const greeting = { "1.20": new RegExp(`${prompt}$`), "1.32": prompt, "1.36": `${recorded}${prompt}` }
const unattached = "error: cannot attach to the container: container"
const refused = { "1.20": `${unattached} not found (none)\n`, "1.32": `${unattached} none not found in pod sh\n`, "1.36": `${unattached} none is not valid for pod sh out of: main\n` }
const invalid = { "1.20": "Error from server (BadRequest): container none is not valid for pod sh\n", "1.32": "Error from server (BadRequest): container none is not valid for pod sh\n", "1.36": "error: container none is not valid for pod sh out of: main\n" }

/** Verbs whose connection becomes something else, on the demo's node. */
export const sessions: ReadonlyArray<Scenario> = [{
  name: "sessions",
  files: { "up.txt": "some text\n" },
  setup: [
    ["create -f -", shell("sh", "echo up; while :; do sleep 1; done")],
    ["create -f -", shell("cat", "echo ready; exec cat")],
    ["create -f -", web],
    "wait --for=condition=Ready pod/sh pod/cat pod/web --timeout=60s"
  ],
  cases: [
    { verb: "exec", command: "exec sh -- echo 'hello  there' '&' more", stdout: "hello  there & more\n" },
    { verb: "exec", command: "exec sh -- sh -c 'echo out; echo err >&2; exit 3'", code: 3, stdout: "out\n", stderr: "err\ncommand terminated with exit code 3\n" },
    { verb: "exec", command: "exec sh -- nosuch", code: 127, stderr: new RegExp(missing.replaceAll(/[.$()]/g, "\\$&")) },
    { verb: "exec", command: "exec sh -c none -- true", code: 1, stderr: invalid },
    { verb: "exec -i", command: "exec -i sh -- cat", stdin: "one\ntwo\n", stdout: "one\ntwo\n" },
    { verb: "exec -i", command: "exec -i sh -- sh -c 'wc -c | tr -d \" \"'", stdin: "x".repeat(1_000_000), stdout: "1000000\n" },
    { verb: "exec", command: "exec pod/sh -- pwd", stdout: /^\/.*\n$/ },
    { verb: "attach", command: "attach -i cat", stdin: "typed\n", stdout: "typed\n", stderr: greeting },
    { verb: "attach", command: "attach sh -c none", code: 1, stderr: refused },
    { verb: "cp", command: "cp $DIR/up.txt sh:/tmp/up-$NS.txt", after: [["exec sh -- cat /tmp/up-$NS.txt", "some text\n"]] },
    { verb: "cp", command: "cp sh:/tmp/up-$NS.txt $DIR/down.txt", stderr: /^(tar: Removing leading `\/' from member names\n)?$/ },
    { verb: "run -i", command: "run piped -i --rm --restart=Never --image=reddwarf.io/shell:1 --command -- cat", stdin: "through the pod\n", stdout: /through the pod\n[\s\S]*pod "piped" deleted/, stderr: /^(All commands [^\n]*\n)?If you don't see a command prompt, try pressing enter\.\n/ },
    { verb: "run -i", command: "run failing -i --rm --restart=Never --image=reddwarf.io/shell:1 --command -- sh -c 'read line; exit 3'", stdin: "go\n", code: 3, stdout: /pod "failing" deleted/ },
    { verb: "port-forward", command: "port-forward web :8080", fetch: ["/path?x=1", /^hello from \/path\?x=1$/], until: /Handling connection for \d+/, stdout: /^Forwarding from 127\.0\.0\.1:\d+ -> 8080\n/ },
    { verb: "port-forward", command: "port-forward web :none", code: 1, stderr: /error: Pod 'web' does not have a named port 'none'/ },
    { verb: "get --raw (proxy)", command: "get --raw /api/v1/namespaces/$NS/pods/web/proxy/a/b?c=d", stdout: "hello from /a/b?c=d" },
    { verb: "get --raw (proxy)", command: "get --raw /api/v1/namespaces/$NS/pods/http:web:8080/proxy/", stdout: "hello from /" },
    { verb: "get --raw (proxy)", command: "get --raw /api/v1/namespaces/$NS/services/web:80/proxy/s", setup: ["expose pod web --port=80 --target-port=8080"], eventually: true, stdout: "hello from /s" },
    { verb: "get --raw (proxy)", command: "get --raw /api/v1/namespaces/$NS/pods/web:1/proxy/", code: 1, stderr: /error trying to reach service: dial tcp [\d.]+:1: connect: connection refused/ },
    { verb: "get --raw (proxy)", command: "get --raw /api/v1/nodes/node-0/proxy/healthz", stdout: "ok" },
    { verb: "delete", command: "delete pod sh cat web", stdout: /^pod "sh" deleted/ }
  ]
}]
