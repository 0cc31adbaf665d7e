using System.Runtime.InteropServices;

namespace Engram.Learning;

/// <summary>How torch uses this machine. Call <see cref="Configure"/> before anything else touches torch.</summary>
public static partial class TorchRuntime
{
    /// <summary>Sets the number of threads, and lets idle threads sleep instead of spin.</summary>
    /// <param name="threads">Threads for one operation; null for torch's default, the number of cores.</param>
    /// <remarks>
    /// OpenMP's threads spin at every barrier by default. Where other processes want the cores too, each operation then
    /// waits for a thread that is not running: measured on 2 busy cores, training an MLP is 20 to 50 times slower. A
    /// policy that the user set in the environment stays in force.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="threads"/> is less than 1.</exception>
    public static void Configure(int? threads = null)
    {
        if (threads is { } wanted) ArgumentOutOfRangeException.ThrowIfLessThan(wanted, 1, nameof(threads));
        // libgomp reads the C environment when it loads; .NET's own SetEnvironmentVariable does not change that one.
        if (OperatingSystem.IsLinux()) _ = SetEnv("OMP_WAIT_POLICY", "PASSIVE", overwrite: 0);
        if (threads is { } count) set_num_threads(count);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnv(string name, string value, int overwrite);
}
