/** Reads certificate signing requests and signs them. Loaded only when there is one, like the library behind it. */
// oxlint-disable-next-line import/no-unassigned-import -- the library below looks for it when it is loaded
import "reflect-metadata"
import * as x509 from "@peculiar/x509"
import type { SigningRequest } from "@reddwarf/api-types"
import * as DateTime from "effect/DateTime"
import { webcrypto } from "node:crypto"
import { algorithm, fromPem, type Pair, serialNumber } from "./x509.js"

const alternativeNames = (request: x509.Pkcs10CertificateRequest): x509.SubjectAlternativeNameExtension | undefined => {
  for (const extension of request.extensions) if (extension instanceof x509.SubjectAlternativeNameExtension) return extension
  return undefined
}

const parse = (pem: string): x509.Pkcs10CertificateRequest => {
  x509.cryptoProvider.set(webcrypto)
  return new x509.Pkcs10CertificateRequest(fromPem(pem))
}

/** Rejects what is not a request, or is not signed by the key it is for. */
export const read = async (pem: string): Promise<SigningRequest.Contents> => {
  const request = parse(pem)
  if (!await request.verify()) throw new TypeError("its signature is not by the key in it")
  const { subjectName } = request
  const names = alternativeNames(request)?.names.items ?? []
  const ofType = (type: x509.GeneralNameType): ReadonlyArray<string> => names.filter((name) => name.type === type).map(({ value }) => value)
  return {
    commonName: subjectName.getField("CN")[0] ?? "",
    organizations: subjectName.getField("O"),
    dnsNames: ofType("dns"),
    ipAddresses: ofType("ip"),
    emailAddresses: ofType("email"),
    uris: ofType("url")
  }
}

const flags: Readonly<Record<string, number>> = {
  "signing": x509.KeyUsageFlags.digitalSignature,
  "digital signature": x509.KeyUsageFlags.digitalSignature,
  "content commitment": x509.KeyUsageFlags.nonRepudiation,
  "key encipherment": x509.KeyUsageFlags.keyEncipherment,
  "key agreement": x509.KeyUsageFlags.keyAgreement,
  "data encipherment": x509.KeyUsageFlags.dataEncipherment,
  "encipher only": x509.KeyUsageFlags.encipherOnly,
  "decipher only": x509.KeyUsageFlags.decipherOnly
}

const purposes: Readonly<Record<string, string>> = {
  "server auth": x509.ExtendedKeyUsage.serverAuth,
  "client auth": x509.ExtendedKeyUsage.clientAuth,
  "code signing": x509.ExtendedKeyUsage.codeSigning,
  "email protection": x509.ExtendedKeyUsage.emailProtection,
  "timestamping": x509.ExtendedKeyUsage.timeStamping,
  "ocsp signing": x509.ExtendedKeyUsage.ocspSigning
}

const dateOf = (millis: number): Date => DateTime.toDateUtc(DateTime.unsafeMake(millis))

/** The certificate, as PEM: subject, names and key of the request, and the usages given. Times are milliseconds since the epoch. */
export const sign = async (
  authority: Pair,
  pem: string,
  terms: { readonly usages: ReadonlyArray<string>; readonly notBefore: number; readonly notAfter: number }
): Promise<string> => {
  const request = parse(pem)
  const issuer = new x509.X509Certificate(authority.cert)
  const signingKey = await webcrypto.subtle.importKey("pkcs8", fromPem(authority.key), algorithm, false, ["sign"])
  const names = alternativeNames(request)
  const keyUsage = terms.usages.reduce((sum, usage) => sum | (flags[usage] ?? 0), 0)
  const extended = terms.usages.flatMap((usage) => purposes[usage] ?? [])
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: request.subjectName.toJSON(),
    issuer: issuer.subjectName,
    notBefore: dateOf(terms.notBefore),
    notAfter: dateOf(terms.notAfter),
    signingAlgorithm: algorithm,
    publicKey: request.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- flags that are combined at run time are a number
      ...(keyUsage === 0 ? [] : [new x509.KeyUsagesExtension(keyUsage, true)]),
      ...(extended.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(extended)]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...(names === undefined ? [] : [new x509.SubjectAlternativeNameExtension(names.names.toJSON())])
    ]
  })
  return `${certificate.toString("pem").trimEnd()}\n`
}
