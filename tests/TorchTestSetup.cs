using System.Runtime.CompilerServices;

// Torch's generator is global and its threads are shared: tests run one after another, on one thread each.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

internal static class TorchTestSetup
{
    [ModuleInitializer]
    internal static void UseOneThread() => Engram.Learning.TorchRuntime.Configure(threads: 1);
}
