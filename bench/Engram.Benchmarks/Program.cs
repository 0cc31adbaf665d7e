using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Engram.Benchmarks;
using Engram.Learning;

// "pairs A B [rounds]" runs two strategies whole, in alternation; anything else goes to BenchmarkDotNet.
TorchRuntime.Configure();
if (args is ["pairs", .. var names]) return WholeRuns.Compare(names);
// In this process: libtorch's output folder is prepared by the build, which a generated project would not know of.
var config = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, config);
return 0;
