/** The agent is killed again and again while somebody follows a log, talks to a command, runs others, and loads the pod over its network. */
import { Exec, Log, type V1Status } from "@kubernetes/client-node"
import { Agent, get } from "node:http"
import { PassThrough, Writable } from "node:stream"
import type { KillNode } from "./killMatrixNode.js"
import * as pods from "./killMatrixPods.js"
import { waitFor } from "./waitFor.js"

const namespace = "default"

export interface Outcome {
  readonly lines: number
  readonly requests: number
  readonly commands: number
}

const wait = (millis: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, millis) })

/** Answers with the number of the request, and prints a line ten times in a second. */
const program = `
const { createServer } = require("node:http")
let requests = 0
createServer((_, response) => response.end(String(++requests))).listen(8080, process.env.POD_IP, () => console.log("up"))
let line = 0
setInterval(() => console.log("line " + line++), 100)
`

const create = async (node: KillNode, name: string): Promise<void> => {
  await node.api.createNamespacedPod({
    namespace,
    body: {
      metadata: { name },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{
          name: "main",
          image: "reddwarf.io/shell:1",
          command: ["node", "-e", program],
          env: [{ name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }],
          readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 }
        }]
      }
    }
  })
}

const ask = (agent: Agent, host: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const request = get({ agent, host, port: 8080, timeout: 5_000 }, (response) => {
      let body = ""
      response.setEncoding("utf8").on("data", (text: string) => { body += text }).once("end", () => resolve(body)).once("error", reject)
    })
    request.once("error", reject).once("timeout", () => request.destroy(new Error("no answer within 5 s")))
  })

/** What a command printed; undefined where its session did not come to an end of its own. */
const run = async (node: KillNode, name: string, command: ReadonlyArray<string>): Promise<string | undefined> => {
  const out = new PassThrough()
  let text = ""
  out.setEncoding("utf8").on("data", (chunk: string) => { text += chunk })
  try {
    const ended = new Promise<boolean>((resolve, reject) => {
      new Exec(node.config).exec(namespace, name, "main", [...command], out, null, null, false, ({ status }) => resolve(status === "Success"))
        .then((socket) => socket.once("close", () => resolve(false)), reject)
    })
    return await ended ? text : undefined
  } catch {
    return undefined
  }
}

/** A command that answers each line, for as long as it is talked to. */
const talk = async (node: KillNode, name: string) => {
  const input = new PassThrough()
  const out = new PassThrough()
  let text = ""
  let status: V1Status | undefined
  let isOpen = true
  out.setEncoding("utf8").on("data", (chunk: string) => { text += chunk })
  const script = "while read line; do [ \"$line\" = end ] && exit 7; echo \"heard $line\"; done"
  const socket = await new Exec(node.config).exec(namespace, name, "main", ["sh", "-c", script], out, null, input, false, (ended) => { status = ended })
  socket.once("close", () => { isOpen = false })
  return {
    /** Says something, and waits for the answer. */
    say: async (word: string): Promise<void> => {
      input.write(`${word}\n`)
      await waitFor(`the answer to ${word}`, () => text.includes(`heard ${word}\n`) ? true : undefined, { seconds: 30, seen: () => `${isOpen ? "" : "closed: "}${JSON.stringify(status)} ${text}\n${node.logs()}` })
    },
    ended: () => isOpen ? undefined : true as const,
    end: async (): Promise<V1Status> => {
      input.write("end\n")
      return await waitFor("the end of the command", () => status, { seconds: 30, seen: () => `${text}\n${node.logs()}` })
    }
  }
}

/** Kills the agent so often, each time as soon as commands run again. */
export const rollingKill = async (node: KillNode, kills: number): Promise<Outcome> => {
  const name = "loaded"
  await create(node, name)
  const pod = await pods.untilReady(node, name)
  const life = pods.lifeOf(node, pod)
  const address = pod.status?.podIP ?? ""

  let log = ""
  const followed = new Writable({ write: (chunk: Buffer, _, done) => { log += chunk.toString("utf8"); done() } })
  let isFollowing = true
  for (const event of ["finish", "close", "error"]) followed.once(event, () => { isFollowing = false })
  await new Log(node.config).log(namespace, name, "main", followed, { follow: true })

  let stop = false
  const keptAlive = new Agent({ keepAlive: true, maxSockets: 4 })
  const load = async (): Promise<number> => {
    let answers = 0
    while (!stop) {
      await ask(keptAlive, address)
      answers += 1
      await wait(5)
    }
    return answers
  }
  const loads = Promise.all([load(), load(), load(), load()])
  loads.catch(() => undefined)

  const conversation = await talk(node, name)
  let commands = 0
  for (let kill = 1; kill <= kills; kill++) {
    // A command that is under way does not hang on the agent, whoever began it.
    await conversation.say(`${String(kill)} before`)
    const begun = await talk(node, name)
    await begun.say("begun")
    await Promise.race([wait(500), loads])
    await node.agent.kill()
    await conversation.say(`${String(kill)} without`)
    node.agent.start()
    await waitFor("a command to run again", async () => (await run(node, name, ["echo", String(kill)]))?.trim() === String(kill) ? true : undefined, { seconds: 60, seen: node.logs })
    await conversation.say(`${String(kill)} after`)
    const { message = "" } = await begun.end()
    if (!message.includes("exit status 7")) throw new Error(`a command whose agent was killed is said to have ended so: ${message}`)
    commands += 1
  }
  const seen = (): ReadonlyArray<string> => log.split("\n").filter((line) => line.startsWith("line "))
  const before = seen().length
  await waitFor("the followed log to go on", () => seen().length > before + 10 ? true : undefined, { seconds: 60, seen: () => `${log.slice(-200)}\n${node.logs()}` })
  if (!isFollowing) throw new Error("the followed log has ended")
  stop = true
  const answers = (await loads).reduce((sum, count) => sum + count, 0)
  keptAlive.destroy()
  await pods.checkLife(node, life)
  await pods.deletePod(node, name)
  await waitFor("the conversation to end with the pod", conversation.ended, { seconds: 60, seen: node.logs })
  // It ends when the container has, with all that this has printed.
  await waitFor("the followed log to end", () => isFollowing ? undefined : true, { seconds: 60, seen: node.logs })
  const lines = pods.checkLines(name, log)
  await pods.untilGone(node, name)
  await pods.untilAgreed(node)
  return { lines, requests: answers, commands }
}
