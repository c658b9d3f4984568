"""tools/gpu-suite before a program that stands in for the real one. Usage: test_front.py TOOL"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

TOOL = os.path.abspath(sys.argv.pop(1))
HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True

NCU = """#!/bin/sh
echo "==PROF== Connected"
printf '"ID","Kernel Name","l1tex__t_sectors_pipe_lsu_mem_global_op_ld.sum",'
printf '"l1tex__t_sectors_pipe_lsu_mem_global_op_st.sum","l1tex__data_pipe_lsu_wavefronts_mem_shared_op_ld.sum",'
echo '"l1tex__data_pipe_lsu_wavefronts_mem_shared_op_st.sum","lts__t_sectors_op_read.sum","lts__t_sectors_op_write.sum"'
echo '"","","sector","sector","","","sector","sector"'
echo '"0","k","8","4","2","1","1,234","n/a"'
"""


class Front(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "tools").mkdir()
        shutil.copy(TOOL, self.folder / "tools")
        program = self.folder / "build" / "gpu-suite-bundle" / "bin" / "sluice-gpu-suite"
        program.parent.mkdir(parents=True)
        shutil.copy(os.path.join(HERE, "program.py"), program)
        program.chmod(0o755)
        shutil.copy(os.path.join(os.path.dirname(TOOL), "gpu", "torch-rates"), program.parent)
        self.results, self.calls = self.folder / "tools" / "gpu" / "results", self.folder / "calls"
        (self.folder / "path").mkdir()
        # A torch that cannot be imported, and no ncu.
        (self.folder / "path" / "torch.py").write_text("raise ImportError('none here')\n")
        self.environment = dict(os.environ, CALLS=str(self.calls), PYTHONPATH=str(self.folder / "path"),
                                PATH=f"{self.folder / 'path'}:/usr/bin:/bin", PYTHONDONTWRITEBYTECODE="1")

    def run_tool(self, *arguments, limits="", **environment):
        """Exit code, standard output, lines of the error stream. `limits` are statements that change the tool's."""
        driver = ("import importlib.machinery, importlib.util, signal, sys\n"
                  "loader = importlib.machinery.SourceFileLoader('tool', sys.argv[1])\n"
                  "tool = importlib.util.module_from_spec(importlib.util.spec_from_loader('tool', loader))\n"
                  "loader.exec_module(tool)\nsys.argv[:] = sys.argv[1:]\n" + limits + "\nsys.exit(tool.main())\n")
        done = subprocess.run([sys.executable, "-c", driver, str(self.folder / "tools" / "gpu-suite"), *arguments],
                              env=dict(self.environment, **environment), capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr.splitlines()

    def part(self, name):
        return json.loads((self.results / f"{name}.json").read_text())

    def verdicts(self, name):
        return [row["verdict"] for row in self.part(name)["rows"]]

    def called(self):
        return self.calls.read_text().split("\n")[:-1] if self.calls.exists() else []

    def test_done_parts_are_not_run_again(self):
        self.assertEqual(self.run_tool()[0], 0)
        self.assertEqual(self.part("torch")["rows"][0]["verdict"], "not run")
        self.assertIn("none here", self.part("torch")["rows"][0]["detail"])
        self.assertIn("hardware: not run: ncu was not found", self.part("traffic")["rows"][0]["detail"])
        self.assertIn("| row2 | equal |", (self.results / "results.md").read_text())
        self.assertIn("gpu 1, emu 2", (self.results / "results.md").read_text())
        before = self.called()
        self.assertEqual(self.run_tool()[0], 0)
        self.assertEqual(self.called(), before + ["describe "])
        self.assertEqual(self.run_tool("--again", "--part", "maps")[0], 0)
        self.assertEqual(self.called()[-1], "maps 0")

    def test_stale_results(self):
        self.run_tool("--part", "maps")
        self.run_tool("--part", "kernels")
        status, out, _ = self.run_tool("--part", "kernels", HEADERS="9")
        self.assertEqual(status, 0)
        self.assertRegex(out, r"maps .*STALE")
        self.assertNotRegex(out, r"kernels .*STALE")
        self.assertEqual(self.called()[-1], "kernels 0")
        (self.folder / "build" / "gpu-suite-bundle" / "sources").mkdir()
        (self.folder / "build" / "gpu-suite-bundle" / "sources" / "a.cu").write_text("changed")
        self.assertRegex(self.run_tool("--show")[1], r"kernels .*STALE")

    def test_a_row_that_hangs_or_crashes_or_loses_the_device(self):
        for behaviour, detail, following in (("hang", "did not end within 30 s", "primitives 2"),
                                             ("crash", "ended by signal 11", "primitives 2"),
                                             ("lose", "", "primitives 2")):
            status, out, _ = self.run_tool("--part", "primitives", "--again", BEHAVIOUR=behaviour)
            self.assertEqual(status, 1)
            self.assertEqual(self.verdicts("primitives"), ["equal", "differs", "equal", "equal"])
            self.assertEqual(self.part("primitives")["rows"][1]["detail"], detail)
            self.assertEqual(self.called()[-1], following)

    def test_a_part_that_takes_too_long_goes_on_in_the_next_call(self):
        began = time.time()
        status, out, _ = self.run_tool("--part", "maps", limits="tool.PARTS['maps'] = (2, 1)", BEHAVIOUR="sleep")
        self.assertLess(time.time() - began, 20)
        self.assertEqual(status, 4)
        self.assertIn("not complete", out)
        self.assertEqual(self.verdicts("maps"), ["equal"])
        self.assertEqual(self.run_tool("--part", "maps")[0], 0)
        self.assertEqual(self.called()[-1], "maps 1")
        self.assertEqual(self.verdicts("maps"), ["equal"] * 4)

    def test_all_parts_together_are_bounded(self):
        status, out, _ = self.run_tool(limits="tool.TOTAL, tool.LEAST = 3, 2", BEHAVIOUR="sleep")
        self.assertEqual(status, 4)
        self.assertIn("maps is left to the next call", out)
        self.assertEqual(self.run_tool(limits="assert tool.TOTAL + 20 <= 480")[0], 0)

    def test_profiler(self):
        ncu = self.folder / "path" / "ncu"
        ncu.write_text(NCU)
        ncu.chmod(0o755)
        self.assertEqual(self.run_tool("--part", "traffic")[0], 0)
        row = self.part("traffic")["rows"][0]
        self.assertEqual(row["verdict"], "equal")
        self.assertEqual(row["profiler"]["L2 sectors read"], 1234)
        self.assertNotIn("L2 sectors written", row["profiler"])
        ncu.write_text(NCU.replace('"8","4"', '"9","4"'))
        self.run_tool("--part", "traffic", "--again")
        self.assertEqual(self.verdicts("traffic")[0], "measured")
        ncu.write_text("#!/bin/sh\necho '==ERROR== ERR_NVGPUCTRPERM'\nexit 1\n")
        self.run_tool("--part", "traffic", "--again")
        self.assertEqual(self.part("traffic")["rows"][0]["detail"],
                         "hardware: not run: ncu gave no figures: ==ERROR== ERR_NVGPUCTRPERM")

    def test_one_line_of_error(self):
        for arguments, environment, text in ((["--nonsense"], {}, "unrecognized arguments: --nonsense"),
                                             (["--part", "x"], {}, "invalid choice: 'x'"),
                                             (["--show", "--bundle"], {}, "expected --bundle without --show, got both"),
                                             (["--show", "--part", "maps"], {}, "expected --show without --part"),
                                             ([], {"BEHAVIOUR": "broken"}, "expected something, got nothing"),
                                             (["--results", "/proc/none"], {}, "expected to write to /proc/none")):
            status, _, error = self.run_tool(*arguments, **environment)
            self.assertEqual((status, len(error)), (2, 1), error)
            self.assertIn(text, error[0])
        shutil.rmtree(self.folder / "build")
        status, _, error = self.run_tool()
        self.assertEqual((status, len(error)), (2, 1))
        self.assertIn("got neither", error[0])
        status, out, error = self.run_tool("--show")
        self.assertEqual((status, error), (3, []))
        self.assertEqual(out.count("not run yet"), 7)
        (self.folder / "build").mkdir()
        (self.folder / "build" / "gpu-suite.tar.gz").write_text("torn")
        self.assertEqual(len(self.run_tool()[2]), 1)

    def test_results_that_are_torn_count_as_none(self):
        self.run_tool("--part", "maps")
        (self.results / "maps.json").write_text('{"rows": [')
        self.assertEqual(self.run_tool("--part", "maps")[0], 0)
        self.assertEqual(self.called()[-1], "maps 0")

    def test_interrupt(self):
        self.run_tool("--part", "maps")
        for stop in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen([str(self.folder / "tools" / "gpu-suite"), "--part", "kernels"], text=True,
                                       env=dict(self.environment, BEHAVIOUR="sleep"), stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE)
            while "kernels 0" not in self.called()[-1:]:
                time.sleep(0.05)
            process.send_signal(stop)
            _, error = process.communicate(timeout=20)
            self.assertEqual((process.returncode, len(error.splitlines())), (130, 1), error)
            self.assertEqual({p.name for p in self.results.iterdir()}, {"maps.json", "results.json", "results.md"})
            self.calls.unlink()


if __name__ == "__main__":
    unittest.main()
