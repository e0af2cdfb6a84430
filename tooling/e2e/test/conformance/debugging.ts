import type { Case, Scenario } from "../../src/Conformance.js"

const target = `apiVersion: v1
kind: Pod
metadata: { name: sh }
spec:
  terminationGracePeriodSeconds: 1
  containers: [{ name: main, image: "reddwarf.io/shell:1", command: ["/bin/sh", "-c", "while :; do sleep 1; done"] }]
`

const greeting = /^(NOTE: "kubectl alpha debug" is deprecated [^\n]*\n\n)?(All commands [^\n]*\n)?If you don't see a command prompt, try pressing enter\.\n$/
const note = /^(NOTE: "kubectl alpha debug" is deprecated [^\n]*\n\n|--profile=legacy is deprecated [^\n]*\n)?$/
const refused = /a pod is a zone with its own network, processes and IPC; remove hostNetwork, hostPID, hostIPC/
const asking = (answer: string): string => `sh -c 'read line; echo ${answer} $line'`
/** Stays, so that a container of a pod with restartPolicy Always is not started again. */
const staying = "sh -c 'echo up; while :; do sleep 1; done'"

/** The same for kubectl 1.20, which calls it `alpha debug` and has no profiles, and for the others. */
const each = (verb: string, args: string, rest: Omit<Case, "verb" | "command">): ReadonlyArray<Case> => [
  { verb, command: `alpha debug ${args}`, only: ["1.20"], ...rest },
  { verb, command: `debug ${args.replace(" --image", " --profile=general --image")}`, only: ["1.32", "1.36"], ...rest }
]

const now: ReadonlyArray<"1.32" | "1.36"> = ["1.32", "1.36"]
const flags = "--profile=general --image=busybox:1"

/** kubectl debug on the demo's node. */
export const debugging: ReadonlyArray<Scenario> = [{
  name: "debugging",
  setup: [["create -f -", target], "wait --for=condition=Ready pod/sh --timeout=60s"],
  cases: [
    { verb: "debug -i", only: now, command: `debug sh -i ${flags} -c one -- ${asking("got")}`, stdin: "typed\n", stdout: "got typed\n", stderr: greeting, after: [["logs sh -c one", "got typed\n"]] },
    { verb: "debug --attach=false", only: now, command: `debug sh --attach=false ${flags} -c two --target=main -- ${staying}`, stdout: /^Targeting container "main"\. [^\n]*\n$/ },
    { verb: "debug --attach=false", only: now, command: "get pod sh -o jsonpath={.status.ephemeralContainerStatuses[1].state.running}", eventually: true, stdout: /startedAt/ },
    { verb: "logs", only: now, command: "logs sh -c two", eventually: true, stdout: "up\n" },
    { verb: "exec", only: now, command: "exec sh -c two -- echo beside", stdout: "beside\n" },
    { verb: "attach", only: now, command: "attach sh -c nothere", code: 1, stderr: /container nothere? ?(not found|is not valid)/ },
    { verb: "debug -i", only: now, command: "get pod sh -o jsonpath={.status.phase}:{.status.containerStatuses[*].ready}:{.status.ephemeralContainerStatuses[0].state.terminated.reason}:{.status.ephemeralContainerStatuses[*].restartCount}", eventually: true, stdout: "Running:true:Completed:0 0" },
    { verb: "debug -i", only: ["1.20"], refusedTo: ["1.20"], command: "alpha debug sh -i --image=busybox:1 -- true", code: 1, stderr: /no kind "EphemeralContainers" is registered for version "v1"/ },
    ...each("debug --copy-to -i", `sh -i --copy-to=copy --image=busybox:1 -c dbg -- ${asking("got")}`, { stdin: "typed\n", stdout: /^got typed\n/, stderr: greeting }),
    ...each("debug --copy-to", `sh --copy-to=changed -c main -- ${staying}`, { stdout: "", stderr: note, after: [["wait --for=condition=Ready pod/changed --timeout=60s", "pod/changed condition met\n"], ["logs changed", "up\n"]] }),
    { verb: "debug node/", only: now, command: `debug node/node-0 -i --profile=baseline --image=busybox:1 -- ${asking("on")}`, stdin: "node\n", stdout: /^Creating debugging pod node-debugger-node-0-\S+ with container debugger on node node-0\.\non node\n$/, stderr: greeting },
    ...each("debug node/ (host namespaces)", "node/node-0 --image=busybox:1 -- true", { stdout: /^Creating debugging pod node-debugger-node-0-\S+ with container debugger on node node-0\.\n$/, stderr: note }),
    { verb: "debug node/ (host namespaces)", command: "get pods -o jsonpath={.items[*].status.containerStatuses[0].state.waiting.message}", eventually: true, stdout: refused },
    { verb: "delete", command: "delete pod --all --now", stdout: /^pod "/, stderr: "" }
  ]
}]
