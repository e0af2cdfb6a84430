import type { Scenario } from "../../src/Conformance.js"

const shell = (name: string, script: string, policy = "Always"): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name}, labels: { app: ${name} } }\nspec:\n  restartPolicy: ${policy}\n  terminationGracePeriodSeconds: 1\n  containers: [{ name: main, image: "reddwarf.io/shell:1", command: ["/bin/sh", "-c", ${JSON.stringify(script)}] }]\n`

/** Verbs about pods that run, on the demo's node. */
export const onNodes: ReadonlyArray<Scenario> = [{
  name: "running",
  setup: [["create -f -", shell("ticks", "echo first; i=0; while :; do i=$((i+1)); echo tick $i; sleep 1; done")], ["create -f -", shell("once", "echo done; exit 0", "Never")]],
  cases: [
    { verb: "wait", command: "wait --for=condition=Ready pod/ticks --timeout=20s", stdout: "pod/ticks condition met\n" },
    { verb: "logs", command: "logs ticks", stdout: /^first\ntick 1\n/, eventually: true },
    { verb: "logs", command: "logs ticks --tail=1", stdout: /^tick \d+\n$/ },
    { verb: "logs", command: "logs ticks --timestamps --tail=1", stdout: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z tick \d+\n$/ },
    { verb: "logs -l", command: "logs -l app=ticks --prefix --tail=1", stdout: /^\[pod\/ticks\/main\] tick \d+\n$/ },
    { verb: "logs -f", command: "logs -f ticks", until: /tick 3\n/, stdout: /^first\n/ },
    { verb: "logs", command: "logs once", stdout: "done\n", eventually: true },
    { verb: "get", command: "get pod once", stdout: /\nonce +0\/1 +Completed +0 /, eventually: true },
    { verb: "describe", command: "describe pod ticks", stdout: /^Status: +Running\n[\s\S]*Ready: +True\n[\s\S]*Normal +Scheduled +[\s\S]*Normal +Started +/m },
    { verb: "run", command: "run ran --image=reddwarf.io/shell:1 --restart=Never --command -- /bin/sh -c 'echo ran'", stdout: "pod/ran created\n" },
    { verb: "run", command: "logs ran", stdout: "ran\n", eventually: true },
    { verb: "delete", command: "delete pod ticks once ran", stdout: /^pod "ticks" deleted/, after: [["get pods", ""]] }
  ]
}]
