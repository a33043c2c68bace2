"""tools/dev nightly runs the chosen steps and shows a failure."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import nightly


class Nightly(unittest.TestCase):
    def test_without_only_every_step_and_every_fuzzer_runs(self):
        chosen = nightly.steps([], 5, 30, 10, [])
        names = [step.name for step in chosen]
        self.assertEqual([*names[:2], *names[-7:]], ["sanitize", "tsan", "mutants", "upgrade-previous", "upgrade", "package",
                                                     "crowds", "soak", "greedy"])
        fuzzers = {path.stem for path in (nightly.ROOT / "tests/fuzz").glob("*.cc")}
        self.assertEqual({name for name in names if name.startswith("fuzz")}, {f"fuzz-{f}" for f in fuzzers})

    def test_options_reach_the_steps(self):
        only = ["fuzz", "mutants", "soak", "greedy"]
        chosen = {step.name: step.arguments for step in nightly.steps(only, 0.5, 2, 1, ["M1"])}
        self.assertEqual(chosen["fuzz-json_fuzz"], ["fuzz", "json_fuzz", "-max_total_time=30"])
        self.assertEqual(chosen["mutants"], ["mutants", "M1"])
        self.assertEqual(chosen["soak"], ["soak", "--seconds", "120"])
        self.assertEqual(chosen["greedy"], ["greedy-soak", "--seconds", "60"])
        self.assertNotIn("tsan", chosen)

    def test_two_programs_are_one_ensemble_for_a_minute(self):
        previous, upgrade = nightly.steps(["upgrade"], 5, 30, 10, [])
        self.assertEqual(previous.arguments, ["previous"])
        self.assertEqual(upgrade.arguments, ["test", "^ensemble/upgrade"])
        self.assertEqual(upgrade.environment, {"ZABKEEPER_MIXED_SECONDS": "60"})

    def test_a_step_gets_its_environment(self):
        with tempfile.TemporaryDirectory() as directory:
            root, logs = nightly.ROOT, nightly.LOGS
            nightly.ROOT = nightly.LOGS = Path(directory)
            try:
                (nightly.ROOT / "tools").mkdir()
                program = nightly.ROOT / "tools/dev"
                program.write_text("#!/bin/sh\necho $1 for $ZABKEEPER_MIXED_SECONDS s\n")
                program.chmod(0o755)
                done = nightly.run(nightly.Step("upgrade", ["test"], {"ZABKEEPER_MIXED_SECONDS": "60"}))
            finally:
                nightly.ROOT, nightly.LOGS = root, logs
            self.assertTrue(done.passed)
            self.assertEqual(done.last_line, "test for 60 s")

    def test_the_table_names_each_step_and_whether_it_passed(self):
        results = [nightly.Result("tsan", True, 61.2, "100% tests passed"), nightly.Result("soak", False, 3, "")]
        self.assertEqual(list(nightly.table(results)), [
            "tsan  pass      61 s  100% tests passed", "soak  FAIL       3 s  "])


if __name__ == "__main__":
    unittest.main()
