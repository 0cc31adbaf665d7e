using System.Runtime.InteropServices;

namespace Engram;

/// <summary>Work on the threads that torch keeps for its own operations.</summary>
/// <remarks>
/// Between two operations they are awake still (<see cref="Learning.TorchRuntime.Configure"/>). A thread of the pool would first have to be woken, would then wait for
/// the core that one of torch's spins on, and would itself spin there when torch wants it back. Where torch's threads are not libgomp's, as on Windows, the pool serves.
/// </remarks>
internal static unsafe class TorchThreads
{
    private static readonly delegate* unmanaged<delegate* unmanaged<nint, void>, nint, uint, uint, void> s_run = Find();

    /// <summary>Whether torch's own threads do the work, and not the pool's.</summary>
    public static bool AreShared => s_run is not null;

    /// <summary>Does something for each number from 0 to <paramref name="count"/> − 1, on as many threads as torch uses.</summary>
    /// <param name="count">How many.</param>
    /// <param name="body">Must not throw: an exception could not pass through libgomp.</param>
    public static void For(int count, Action<int> body)
    {
        var threads = Math.Min(count, get_num_threads());
        var share = new Share(count, body);
        if (threads < 2) share.Take();
        else if (s_run is null) Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = threads }, body);
        else
        {
            using var handle = new GCHandle<Share>(share);
            s_run(&Enter, GCHandle<Share>.ToIntPtr(handle), (uint)threads, 0);
        }
    }

    [UnmanagedCallersOnly]
    private static void Enter(nint share) => GCHandle<Share>.FromIntPtr(share).Target.Take();

    // What the compiler makes of "#pragma omp parallel": runs a function on a team of threads, the caller's among them, and waits for all.
    private static delegate* unmanaged<delegate* unmanaged<nint, void>, nint, uint, uint, void> Find() =>
        OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libtorch_cpu", typeof(TorchThreads).Assembly, null, out var torch)
            && NativeLibrary.TryGetExport(torch, "GOMP_parallel", out var run)
            ? (delegate* unmanaged<delegate* unmanaged<nint, void>, nint, uint, uint, void>)run
            : null;

    private sealed class Share(int count, Action<int> body)
    {
        private int _next = -1;

        public void Take()
        {
            for (int i; (i = Interlocked.Increment(ref _next)) < count;) body(i);
        }
    }
}
