// What is the EIP-712 digest of a struct? Cases in JSON on standard input, digests in JSON on standard output.
// A case: {type: "Leg(bytes32 agreementId,...)", domain: {name, version, chainId, verifyingContract}, values: {...}};
// integers are decimal strings, bytes and addresses hex. Written from the EIP alone, over @noble's keccak.
const { keccak_256 } = require("@noble/hashes/sha3");

const DOMAIN = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";

const hex = (bytes) => "0x" + Buffer.from(bytes).toString("hex");
const bytesOf = (text) => Buffer.from(text.slice(2), "hex");
const keccak = (...parts) => Buffer.from(keccak_256(Buffer.concat(parts)));
const ascii = (text) => Buffer.from(text, "utf8");

// "A(B[] bs)B(bytes32 x)" -> {A: [{kind: "B[]", name: "bs"}], B: [...]}
function structsOf(type) {
  const structs = {};
  for (const [, name, members] of type.matchAll(/(\w+)\(([^)]*)\)/g)) {
    structs[name] = members.split(",").map((member) => ({ kind: member.split(" ")[0], name: member.split(" ")[1] }));
  }
  return structs;
}

// encodeType of one struct: itself, then those it refers to, by name.
function encodeType(name, structs) {
  const seen = new Set();
  const visit = (at) => {
    if (!(at in structs) || seen.has(at)) return;
    seen.add(at);
    structs[at].forEach(({ kind }) => visit(kind.replace("[]", "")));
  };
  visit(name);
  const others = [...seen].filter((other) => other !== name).sort();
  return [name, ...others].map((at) => `${at}(${structs[at].map(({ kind, name }) => `${kind} ${name}`).join(",")})`).join("");
}

function word(kind, value, structs) {
  if (kind.endsWith("[]")) return keccak(...value.map((each) => word(kind.slice(0, -2), each, structs)));
  if (kind in structs) return hashStruct(kind, value, structs);
  if (kind === "string") return keccak(ascii(value));
  if (kind === "bytes") return keccak(bytesOf(value));
  if (kind.startsWith("uint")) return Buffer.from(BigInt(value).toString(16).padStart(64, "0"), "hex");
  if (kind === "address") return Buffer.concat([Buffer.alloc(12), bytesOf(value)]);
  if (kind === "bytes32") return bytesOf(value);
  throw new Error(`no rule for ${kind}`);
}

function hashStruct(name, values, structs) {
  const words = structs[name].map((member) => word(member.kind, values[member.name], structs));
  return keccak(keccak(ascii(encodeType(name, structs))), ...words);
}

function digest({ type, domain, values }) {
  const separator = hashStruct("EIP712Domain", domain, structsOf(DOMAIN));
  const name = type.slice(0, type.indexOf("("));
  return hex(keccak(Buffer.from([0x19, 0x01]), separator, hashStruct(name, values, structsOf(type))));
}

const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(cases.map(digest)));
