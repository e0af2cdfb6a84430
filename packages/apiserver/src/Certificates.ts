/**
 * The cluster's certificate authority and the certificates it has signed, kept as PEM files: made when they are missing,
 * renewed before they expire, kept across restarts. ECDSA on P-256, SHA-256.
 */
import type { SigningRequest } from "@reddwarf/api-types"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { createPrivateKey, generateKeyPair, X509Certificate } from "node:crypto"
import { isIP } from "node:net"
import { hostname } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import * as secureFiles from "./internal/secureFiles.js"
import type * as x509 from "./internal/x509.js"
import type * as x509Requests from "./internal/x509Requests.js"

/**
 * A certificate could not be read, made or stored. `path` is the file, or the directory when it is about a new certificate.
 *
 * @category errors
 */
export class CertificateFailure extends Schema.TaggedError<CertificateFailure>()("CertificateFailure", {
  path: Schema.String,
  detail: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    return `certificate ${this.path}: ${this.detail}`
  }
}

/** A certificate and its private key, as PEM. @category models */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

/** What a certificate is good for. @category models */
export interface CertificateRequest {
  /** The user name of a client. */
  readonly commonName: string
  /** The groups of a client. */
  readonly organizations?: ReadonlyArray<string>
  /** DNS names and IP addresses that a server with this certificate is reached at. */
  readonly names?: ReadonlyArray<string>
  readonly usages: ReadonlyArray<"clientAuth" | "serverAuth">
}

/** How a certificate signing request is answered. @category models */
export interface SigningTerms {
  /** Usages as Kubernetes names them, such as `client auth`. */
  readonly usages: ReadonlyArray<string>
  /** Longest lifetime; that of the authority bounds it too. */
  readonly lifetime: Duration.DurationInput
}

/** Where the files are, and how long certificates last. @category models */
export interface CertificatesOptions {
  /** Created with mode 0700 when it does not exist. */
  readonly directory: string
  /** Names and addresses of this server besides loopback, host name and the in-cluster names. */
  readonly names?: ReadonlyArray<string>
  /** Lifetime of the authority; default ten years. */
  readonly authorityLifetime?: Duration.DurationInput
  /** Lifetime of every other certificate; default one year. */
  readonly lifetime?: Duration.DurationInput
  /** A certificate with less time left than this is made anew; default 30 days. */
  readonly renewBefore?: Duration.DurationInput
}

/**
 * The authority of a cluster.
 *
 * @category services
 */
export class Certificates extends Context.Tag("@reddwarf/apiserver/Certificates")<Certificates, {
  /** Certificate of the authority, as PEM. */
  readonly authority: string
  /**
   * The certificate kept under `file` (without extension): the one in the directory when it still fits the request and has
   * time left, else a new one.
   */
  readonly obtain: (file: string, request: CertificateRequest) => Effect.Effect<KeyPair, CertificateFailure>
  /** Certificate of this server. */
  readonly serving: Effect.Effect<KeyPair, CertificateFailure>
  /** What this server shows to node agents. */
  readonly kubeletClient: Effect.Effect<KeyPair, CertificateFailure>
  /** Private key that ServiceAccount tokens are signed with, as PEM: kept as `sa.key`, RSA with 2048 bits. */
  readonly signingKey: Effect.Effect<string, CertificateFailure>
  /** A client certificate for a user with the given groups, kept under `file`. */
  readonly client: (file: string, user: string, groups: ReadonlyArray<string>) => Effect.Effect<KeyPair, CertificateFailure>
  /** What a request (PKCS #10, PEM) asks for; fails when it is none, or was not signed by the key in it. */
  readonly readRequest: (pem: string) => Effect.Effect<SigningRequest.Contents, CertificateFailure>
  /** The certificate, as PEM, that a request asks for. Who asks, and whether that is right, has been checked by then. */
  readonly signRequest: (pem: string, terms: SigningTerms) => Effect.Effect<string, CertificateFailure>
  /** The certificate of a node agent: client of this server, and server for its own endpoint at `names`. */
  readonly node: (name: string, names?: ReadonlyArray<string>) => Effect.Effect<KeyPair, CertificateFailure>
}>() {}

/** Names that every API server is reached at. @category models */
export const serverNames = (): ReadonlyArray<string> => [
  "localhost",
  "127.0.0.1",
  "::1",
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.cluster.local",
  ...(/^[a-zA-Z0-9.-]+$/.test(hostname()) ? [hostname().toLowerCase()] : [])
]

const parse = (pem: string): X509Certificate | undefined => {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}

/** Organisations and common name, to compare. */
const subjectOf = (certificate: X509Certificate): string => {
  const { CN, O: organizations } = certificate.toLegacyObject().subject
  const list = organizations === undefined ? [] : Array.isArray(organizations) ? organizations : [organizations]
  return JSON.stringify([list, CN])
}

const belongTogether = (certificate: X509Certificate, key: string): boolean => {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key))
  } catch {
    return false
  }
}

const covers = (certificate: X509Certificate, name: string): boolean =>
  (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined

const generateRsa = promisify(generateKeyPair)

// Clocks of other machines may be a little behind.
const backdate = Duration.toMillis("5 minutes")

const make = (options: CertificatesOptions) =>
  Effect.gen(function*() {
    const clock = yield* Effect.clock
    const { directory } = options
    const lifetime = Duration.toMillis(options.lifetime ?? "365 days")
    const renewBefore = Duration.toMillis(options.renewBefore ?? "30 days")
    const lock = yield* Effect.makeSemaphore(1)
    const fileFailure = ({ cause, detail, path }: secureFiles.FileFailure) => new CertificateFailure({ path, detail, cause })
    const read = (path: string) => Effect.mapError(secureFiles.read(path), fileFailure)

    const generate = (path: string, run: (library: typeof x509) => Promise<x509.Pair>) =>
      Effect.tryPromise({
        try: async () => run(await import("./internal/x509.js")),
        catch: (cause) => new CertificateFailure({ path, detail: "it could not be made", cause })
      })

    // The key comes first: a certificate on disk then always has its key beside it.
    const store = (file: string, pair: KeyPair) =>
      Effect.mapError(
        Effect.as(
          Effect.zipRight(
            secureFiles.write(join(directory, `${file}.key`), pair.key),
            secureFiles.write(join(directory, `${file}.crt`), pair.cert)
          ),
          pair
        ),
        fileFailure
      )

    const load = (file: string) =>
      Effect.map(
        Effect.all([read(join(directory, `${file}.crt`)), read(join(directory, `${file}.key`))]),
        ([cert, key]) => cert === undefined || key === undefined ? undefined : { cert, key }
      )

    yield* Effect.mapError(secureFiles.directory(directory), fileFailure)

    const createAuthority = Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      const pair = yield* generate(directory, (library) =>
        library.createAuthority({
          commonName: "reddwarf-ca",
          notBefore: now - backdate,
          notAfter: now + Duration.toMillis(options.authorityLifetime ?? "3650 days")
        }))
      return yield* store("ca", pair)
    })

    const existing = yield* load("ca")
    if (existing !== undefined) {
      const certificate = parse(existing.cert)
      if (certificate === undefined || !belongTogether(certificate, existing.key)) {
        return yield* new CertificateFailure({
          path: join(directory, "ca.crt"),
          detail: "it is damaged or does not belong to ca.key: restore both files, or remove them to begin a new authority (all clients then need new kubeconfigs)"
        })
      }
      if (Date.parse(certificate.validTo) <= clock.unsafeCurrentTimeMillis()) {
        return yield* new CertificateFailure({
          path: join(directory, "ca.crt"),
          detail: `it expired on ${certificate.validTo}: remove ca.crt and ca.key to begin a new authority (all clients then need new kubeconfigs)`
        })
      }
    }
    const authority = existing ?? (yield* createAuthority)
    const authorityCertificate = new X509Certificate(authority.cert)
    const authorityEnd = Date.parse(authorityCertificate.validTo)

    const fits = (pair: KeyPair, request: CertificateRequest, now: number): boolean => {
      const certificate = parse(pair.cert)
      if (certificate === undefined || !belongTogether(certificate, pair.key)) return false
      const left = Date.parse(certificate.validTo) - now
      return certificate.verify(authorityCertificate.publicKey) &&
        left > Math.min(renewBefore, lifetime / 2) &&
        subjectOf(certificate) === JSON.stringify([request.organizations ?? [], request.commonName]) &&
        (request.names ?? []).every((name) => covers(certificate, name))
    }

    const obtain = (file: string, request: CertificateRequest) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const kept = yield* load(file)
        if (kept !== undefined && fits(kept, request, now)) return kept
        const pair = yield* generate(join(directory, `${file}.crt`), (library) =>
          library.issue(authority, {
            commonName: request.commonName,
            organizations: request.organizations ?? [],
            names: request.names ?? [],
            usages: request.usages,
            notBefore: now - backdate,
            notAfter: Math.min(now + lifetime, authorityEnd)
          }))
        return yield* store(file, pair)
      }).pipe(lock.withPermits(1))

    const signingKey = Effect.gen(function*() {
      const path = join(directory, "sa.key")
      const kept = yield* read(path)
      if (kept !== undefined) return kept
      const { privateKey } = yield* Effect.tryPromise({
        try: () => generateRsa("rsa", { modulusLength: 2048 }),
        catch: (cause) => new CertificateFailure({ path, detail: "it could not be made", cause })
      })
      const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString()
      return yield* Effect.as(Effect.mapError(secureFiles.write(path, pem), fileFailure), pem)
    }).pipe(lock.withPermits(1))

    const withRequest = <A>(run: (library: typeof x509Requests) => Promise<A>) =>
      Effect.tryPromise({
        try: async () => run(await import("./internal/x509Requests.js")),
        catch: (cause) =>
          new CertificateFailure({ path: directory, detail: `the signing request cannot be used: ${cause instanceof Error ? cause.message : "it is damaged"}`, cause })
      })

    const names = [...new Set([...serverNames(), ...(options.names ?? [])])]
    return Certificates.of({
      authority: authority.cert,
      obtain,
      signingKey,
      readRequest: (pem) => withRequest((library) => library.read(pem)),
      signRequest: (pem, terms) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          withRequest((library) =>
            library.sign(authority, pem, {
              usages: terms.usages,
              notBefore: now - backdate,
              notAfter: Math.min(now + Duration.toMillis(terms.lifetime), authorityEnd)
            }))),
      serving: obtain("apiserver", { commonName: "kube-apiserver", names, usages: ["serverAuth"] }),
      kubeletClient: obtain("apiserver-kubelet-client", {
        commonName: "kube-apiserver-kubelet-client",
        usages: ["clientAuth"]
      }),
      client: (file, user, groups) => obtain(file, { commonName: user, organizations: groups, usages: ["clientAuth"] }),
      node: (name, extra = []) =>
        obtain(`node-${name}`, {
          commonName: `system:node:${name}`,
          organizations: ["system:nodes"],
          names: [...new Set([name, "127.0.0.1", "localhost", ...extra])],
          usages: ["clientAuth", "serverAuth"]
        })
    })
  })

/**
 * The certificates in a directory. Fails when the files cannot be read or written, or when the authority in it is damaged or
 * has expired.
 *
 * @category layers
 */
export const layer = (options: CertificatesOptions): Layer.Layer<Certificates, CertificateFailure> =>
  Layer.effect(Certificates, make(options))

/** PEM files made elsewhere. @category models */
export interface ExternalFiles {
  /** Certificate chain of this server. */
  readonly cert: string
  readonly key: string
  /** Authority that client certificates are signed by. */
  readonly ca: string
}

/** Reads PEM files made elsewhere and checks that they are what they should be. @category constructors */
export const fromFiles = (
  files: ExternalFiles
): Effect.Effect<{ readonly serving: KeyPair; readonly authority: string }, CertificateFailure> =>
  Effect.gen(function*() {
    const load = (path: string) =>
      Effect.flatMap(
        Effect.mapError(
          secureFiles.read(path),
          ({ cause, detail }) => new CertificateFailure({ path, detail, cause })
        ),
        (text) =>
          text === undefined
            ? Effect.fail(new CertificateFailure({ path, detail: "it does not exist: check the path" }))
            : Effect.succeed(text)
      )
    const [cert, key, ca] = yield* Effect.all([load(files.cert), load(files.key), load(files.ca)])
    const certificate = parse(cert)
    if (certificate === undefined || !belongTogether(certificate, key)) {
      return yield* new CertificateFailure({
        path: files.cert,
        detail: `it is not a PEM certificate of the key in ${files.key}: give matching files`
      })
    }
    if (parse(ca) === undefined) {
      return yield* new CertificateFailure({ path: files.ca, detail: "it is not a PEM certificate" })
    }
    return { serving: { cert, key }, authority: ca }
  })
