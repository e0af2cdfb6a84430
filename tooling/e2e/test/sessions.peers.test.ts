/** kubectl's sessions outlive the agent that began them. */
import { connect, type Socket } from "node:net"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type KillNode, startKillNode } from "../src/killMatrixNode.js"
import { processesWith } from "../src/leaks.js"
import { type Kubectl, kubectl, peer } from "../src/Peers.js"
import type { Running } from "../src/run.js"
import { waitFor } from "../src/waitFor.js"

/** Answers each line a client sends it, on the pod's own address. */
const echo = `
const { createServer } = require("node:net")
createServer((socket) => socket.on("data", (data) => socket.write("echo " + data)).on("error", () => {})).listen(8080, process.env.POD_IP, () => console.log("up"))
process.stdin.on("data", (data) => process.stdout.write("got " + data))
`

const manifest = (name: string): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{
        name: "main",
        image: "reddwarf.io/shell:1",
        command: ["node", "-e", echo],
        stdin: true,
        env: [{ name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }],
        readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 }
      }]
    }
  })

const programs = ["1.20", "1.32", "1.36"].flatMap((version) => {
  const program = peer(`kubectl-${version}`)
  return program === undefined ? [] : [{ version, program }]
})

describe.skipIf(programs.length === 0)("kubectl's sessions", () => {
  let node: KillNode
  beforeAll(async () => {
    node = await startKillNode()
  }, 120_000)
  afterAll(async () => {
    expect(await node.dispose()).toBe(0)
    expect(processesWith(node.dataDir)).toEqual([])
  })

  const seen = (running: Running) => () => `${running.stdout()}\n${running.stderr()}\n${node.logs()}`
  const says = (what: string, running: Running, text: string) =>
    waitFor(what, () => running.stdout().includes(text) ? true : undefined, { seen: seen(running) })

  /** Everything a version of kubectl does on one pod, over one kill. */
  const sessionsOf = async (k: Kubectl, name: string) => {
    await k.input(manifest(name), "apply", "-f", "-")
    await k.ok("wait", "--for=condition=Ready", `pod/${name}`, "--timeout=60s")
    const exec = k.talk("exec", "-i", name, "--", "sh", "-c", "cat; exit 5")
    const doomed = k.talk("exec", "-i", name, "--", "cat")
    const attach = k.talk("attach", "-i", name)
    const forward = k.start("port-forward", name, ":8080")
    const port = await waitFor("the forwarded port", () => /127\.0\.0\.1:(\d+) -> 8080/.exec(forward.stdout())?.[1], { seen: seen(forward) })
    const dial = () => {
      let text = ""
      const socket = connect({ host: "127.0.0.1", port: Number(port) }).setEncoding("utf8")
      socket.on("data", (chunk: string) => { text += chunk }).on("error", () => { /* told by what does not come */ })
      return { socket, text: () => text }
    }
    const open = dial()
    const ask = async (one: { readonly socket: Socket; readonly text: () => string }, word: string) => {
      one.socket.write(word)
      await waitFor(`the echo of ${word}`, () => one.text().includes(`echo ${word}`) ? true : undefined, { seen: seen(forward) })
    }
    const all = async (word: string) => {
      for (const one of [exec, doomed, attach]) one.input.write(`${word}\n`)
      await says(`exec to echo ${word}`, exec, `${word}\n`)
      await says(`another exec to echo ${word}`, doomed, `${word}\n`)
      await says(`the attached container to get ${word}`, attach, `got ${word}\n`)
      await ask(open, word)
    }
    await all("first")
    return {
      all,
      end: async () => {
        const other = dial()
        await ask(other, "anew")
        exec.input.end()
        expect(await exec.done).toMatchObject({ code: 5 })
        // The pod takes the rest with it.
        await k.ok("delete", "pod", name, "--wait=false")
        expect((await doomed.done).stderr).toContain("command terminated with exit code 137")
        await attach.done
        await waitFor("the forwarded connection to be lost", async () => {
          const probe = dial()
          await new Promise((resolve) => { probe.socket.once("close", resolve).once("connect", () => probe.socket.write("x")) })
          return forward.stderr().includes("lost connection to pod") || probe.text() === "" ? true : undefined
        }, { seen: seen(forward) })
        forward.kill("SIGTERM")
        await forward.done
        for (const one of [open, other]) one.socket.destroy()
      }
    }
  }

  it("go on over kill -9 and the next agent, and end with their pod", async () => {
    const sessions = await Promise.all(programs.map(({ program, version }) => sessionsOf(kubectl(program, node), `p-${version.replace(".", "-")}`)))
    await node.agent.kill()
    await Promise.all(sessions.map(({ all }) => all("without an agent")))
    node.agent.start()
    const [first] = programs
    const k = kubectl(first?.program ?? "", node)
    await waitFor("a command to run again", async () => (await k.run("exec", `p-${first?.version.replace(".", "-") ?? ""}`, "--", "echo", "new")).stdout === "new\n" ? true : undefined, { seen: node.logs })
    await Promise.all(sessions.map(({ all }) => all("with the next one")))
    expect(await k.ok("get", "--raw", "/api/v1/nodes/node-0/proxy/metrics")).toMatch(new RegExp(`^reddwarf_kubelet_streaming_sessions ${String(programs.length * 4)}$`, "m"))
    await Promise.all(sessions.map(({ end }) => end()))
  }, 180_000)
})
