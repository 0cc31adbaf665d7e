using System.Diagnostics;
using System.Globalization;
using static TorchSharp.torch;

namespace Engram.Tests.Fuzz;

/// <summary>Feeds mutants to the formats and watches over exceptions, time, memory and tensors.</summary>
internal sealed class FuzzRun(int seed)
{
    // Restoring a small learner takes a few hundred kB; text may become tens of times its size in objects.
    private const int MostFaults = 20;
    private const long ManagedBase = 8 << 20, PerByte = 200, ResidentLimit = 64 << 20;
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(5), s_hang = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, (int Loaded, int Refused, long MostBytes, double MostMilliseconds)> _counts = [];

    private readonly List<string> _faults = [];

    public static bool SeesResident => File.Exists("/proc/self/clear_refs");

    public long MostResident { get; private set; }

    /// <summary>Runs mutants <paramref name="first"/> to <paramref name="first"/> + <paramref name="count"/> − 1; each depends on seed and number alone.</summary>
    public void Run(int first, int count, CancellationToken cancellationToken)
    {
        var targets = FuzzTargets.All();
        try
        {
            var wheel = targets.SelectMany(target => Enumerable.Repeat(target, target.Share)).ToArray();
            using var watchdog = new Timer(_ => Environment.FailFast("fuzz: a mutant hangs"));
            foreach (var target in targets) _counts[target.Name] = default;
            for (var number = first; number < first + count; number++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                watchdog.Change(s_hang, Timeout.InfiniteTimeSpan);
                var mutator = new Mutator(HashCode(seed, number));
                One(mutator.OneOf(wheel), mutator, number);
                if (_faults.Count >= MostFaults) break;
            }
        }
        finally
        {
            foreach (var target in targets) target.Dispose();
        }
    }

    /// <summary>What should not have happened, each with the number of its mutant.</summary>
    public IReadOnlyList<string> Faults => _faults;

    public IEnumerable<string> Report() => _counts.Select(pair => string.Create(CultureInfo.InvariantCulture,
        $"{pair.Key}: {pair.Value.Loaded + pair.Value.Refused} mutants, {pair.Value.Loaded} loaded, {pair.Value.Refused} refused; "
        + $"most allocated {pair.Value.MostBytes >> 10} kB, slowest {pair.Value.MostMilliseconds:F1} ms"));

    private void One(FuzzTarget target, Mutator mutator, int number)
    {
        var length = target.Make(mutator);
        var (tensors, resident) = (Tensor.TotalCount, ResetResident());
        var (bytes, start) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.GetTimestamp());
        var loaded = true;
        void Expect(bool holds, string what)
        {
            if (!holds) _faults.Add($"mutant {number} of seed {seed}, {target.Name}, {length} bytes: {what}");
        }
        try
        {
            target.Read();
        }
        catch (Exception problem)
        {
            Expect(target.IsDocumented(problem), problem.ToString());
            loaded = false;
        }
        var time = Stopwatch.GetElapsedTime(start);
        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
        resident = Resident() - resident;
        var counts = _counts[target.Name];
        _counts[target.Name] = (counts.Loaded + (loaded ? 1 : 0), counts.Refused + (loaded ? 0 : 1),
            Math.Max(counts.MostBytes, bytes), Math.Max(counts.MostMilliseconds, time.TotalMilliseconds));
        MostResident = Math.Max(MostResident, resident);
        // Fewer there may be: the collector lets go of what earlier tests left.
        Expect(target.CountsItsTensors || Tensor.TotalCount <= tensors, $"{Tensor.TotalCount - tensors} tensors leak");
        Expect(bytes <= ManagedBase + (PerByte * length), $"{bytes} bytes allocated");
        Expect(resident <= ResidentLimit + (PerByte * length), $"{resident} bytes of memory");
        Expect(time <= s_limit, $"{time} taken");
    }

    // Linux keeps the peak of resident memory, native memory of torch included, and starts it anew when told so.
    private static long ResetResident()
    {
        if (!SeesResident) return 0;
        File.WriteAllText("/proc/self/clear_refs", "5");
        return Resident();
    }

    private static long Resident()
    {
        if (!SeesResident) return 0;
        var line = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2].Split('\t')[^1], CultureInfo.InvariantCulture);
    }

    // Stable between processes, unlike System.HashCode.
    private static int HashCode(int seed, int number) => unchecked((int)(((uint)seed * 2654435761u) ^ ((uint)number * 2246822519u)));
}
