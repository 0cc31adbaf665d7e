namespace Engram.Analytic;

/// <summary>Says beforehand what would never fit into memory: torch would take what the system never has.</summary>
/// <remarks>Held against all memory that the process may have (a container's limit, else the machine's), not against what is free now.</remarks>
internal static class MemoryGuard
{
    /// <summary>Whether so many bytes fit into the memory there is.</summary>
    public static bool Fits(double bytes) => bytes <= There;

    /// <summary>Refuses what does not fit.</summary>
    /// <param name="what">The argument and what it asks for, to be followed by "need".</param>
    /// <param name="bytes">What that takes at once.</param>
    /// <exception cref="ArgumentException">There is less memory.</exception>
    public static void Check(string what, double bytes)
    {
        if (!Fits(bytes))
            throw new ArgumentException(FormattableString.Invariant(
                $"{what} need {bytes / 1e9:0.0} GB at once, expected fewer for the {There / 1e9:0.0} GB there are"));
    }

    private static long There => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
}
