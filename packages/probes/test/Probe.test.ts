import { assert, describe, it } from "@effect/vitest"
import { Probe, ProbeAction } from "@reddwarf/probes"

const container = {
  name: "web",
  ports: [{ name: "http", containerPort: 8080 }, { name: "admin", containerPort: 9000 }]
}

describe("Probe", () => {
  it("has the defaults of the API", () => {
    const [probe] = Probe.all({ ...container, livenessProbe: { tcpSocket: { port: 80 } } }, "10.0.0.1")
    assert.deepStrictEqual(probe, {
      kind: "liveness",
      action: ProbeAction.ProbeAction.TcpSocket({ host: "10.0.0.1", port: 80 }),
      initialDelayMillis: 0,
      periodMillis: 10_000,
      timeoutMillis: 1_000,
      successThreshold: 1,
      failureThreshold: 3
    })
  })

  it("finds named ports, and says when there is none", () => {
    assert.deepStrictEqual(ProbeAction.of({ tcpSocket: { port: "admin" } }, container, "10.0.0.1"), ProbeAction.ProbeAction.TcpSocket({ host: "10.0.0.1", port: 9000 }))
    assert.deepStrictEqual(ProbeAction.of({ tcpSocket: { port: "9001" } }, container, "10.0.0.1"), ProbeAction.ProbeAction.TcpSocket({ host: "10.0.0.1", port: 9001 }))
    assert.deepStrictEqual(
      ProbeAction.of({ httpGet: { port: "metrics" } }, container, "10.0.0.1"),
      ProbeAction.ProbeAction.Impossible({ reason: "couldn't find port: \"metrics\" in container \"web\"" })
    )
    assert.deepStrictEqual(ProbeAction.of({ tcpSocket: { port: 70_000 } }, container, "::1"), ProbeAction.ProbeAction.Impossible({ reason: "invalid port number: 70000" }))
  })

  it("takes host, scheme, path and headers of an HTTP probe", () => {
    const action = ProbeAction.of(
      { httpGet: { host: "[fd00::1]", port: "http", scheme: "HTTPS", path: "/ok?x=1", httpHeaders: [{ name: "Host", value: "a.example" }] } },
      container,
      "10.0.0.1"
    )
    assert.deepStrictEqual(action, ProbeAction.ProbeAction.HttpGet({ scheme: "https", host: "fd00::1", port: 8080, path: "/ok?x=1", headers: [["Host", "a.example"]] }))
  })

  it("knows the grace that a probe gives", () => {
    const probed = { ...container, livenessProbe: { exec: { command: ["true"] }, terminationGracePeriodSeconds: 7 }, startupProbe: { exec: { command: ["true"] } } }
    assert.strictEqual(Probe.graceSeconds(probed, "liveness"), 7)
    assert.strictEqual(Probe.graceSeconds(probed, "startup"), undefined)
  })

  it("prints times as Go does", () => {
    assert.deepStrictEqual([1000, 90_000, 1500, 3_600_000, 250].map(ProbeAction.duration), ["1s", "1m30s", "1.5s", "1h0m0s", "250ms"])
  })
})
