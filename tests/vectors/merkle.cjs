// What root and proofs does the npm library give? Cases in JSON on standard input, answers in JSON on standard output.
const { StandardMerkleTree } = require("@openzeppelin/merkle-tree");

const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
const answers = cases.map(({ types, values, sortLeaves, indices }) => {
  const tree = StandardMerkleTree.of(values, types, { sortLeaves });
  return { root: tree.root, proofs: indices.map((index) => tree.getProof(index)) };
});
process.stdout.write(JSON.stringify(answers));
