namespace Engram.Build;

/// <summary>How TorchSharp's native shim stands to the system's C++ library.</summary>
internal enum ShimState
{
    /// <summary>The system has the version, or the shim does not ask for it: nothing to do.</summary>
    FitsAsItIs,

    /// <summary>The entry is marked weak already.</summary>
    Marked,

    /// <summary>The system lacks the version and the shim can do without: mark it weak.</summary>
    NeedsMark,

    /// <summary>The shim uses something that the system lacks: no mark helps.</summary>
    CannotFit,

    /// <summary>The file, or the system's library, could not be understood.</summary>
    Unknown,
}

/// <summary>What was found out about a shim.</summary>
/// <param name="State">How it stands.</param>
/// <param name="Message">One sentence for people, without the file's name.</param>
/// <param name="Need">The version-needed entry in question, where there is one.</param>
internal sealed record ShimFindings(ShimState State, string Message, VersionNeed? Need = null);

/// <summary>
/// Decides whether TorchSharp's <c>libLibTorchSharp.so</c> loads with the system's libstdc++ and what to do if not.
/// </summary>
/// <remarks>
/// The shim of TorchSharp 0.107 asks for <c>GLIBCXX_3.4.32</c> (GCC 13) on behalf of one symbol,
/// <c>_ZSt21ios_base_library_initv</c>, that nothing in it refers to. Marking the request weak
/// (<c>VER_FLG_WEAK</c>) lets an older system's loader accept it.
/// </remarks>
internal static class TorchShim
{
    /// <summary>The version that may be marked weak.</summary>
    public const string SpareVersion = "GLIBCXX_3.4.32";

    /// <summary>Examines a shim's bytes; never throws on malformed ones and changes nothing.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="system">The system's C++ library, or null where none was found.</param>
    public static ShimFindings Examine(ReadOnlyMemory<byte> file, SystemCxxLibrary? system)
    {
        try
        {
            return Examine(ElfVersionNeeds.Read(ElfImage.Read(file)), system);
        }
        catch (BadImageFormatException e)
        {
            return new ShimFindings(ShimState.Unknown, e.Message + ".");
        }
    }

    private static ShimFindings Examine(ElfVersionNeeds needs, SystemCxxLibrary? system)
    {
        VersionNeed[] ofLibrary = [.. needs.All.Where(n => n.Library == SystemCxxLibrary.FileName)];
        VersionNeed? spare = Array.Find(ofLibrary, n => n.Version == SpareVersion);
        if (spare is null)
            return new ShimFindings(ShimState.FitsAsItIs, $"it does not ask for {SpareVersion}.");
        if (system is null)
        {
            return new ShimFindings(spare.IsWeak ? ShimState.Marked : ShimState.Unknown,
                $"no {SystemCxxLibrary.FileName} in the system's usual folders.", spare);
        }

        // Whatever else the system lacks is in use, and no mark on the spare version would make the file load.
        VersionNeed? lacking = Array.Find(ofLibrary, n => n != spare && !n.IsWeak && !system.Defines(n.Version));
        if (lacking is not null)
        {
            return new ShimFindings(ShimState.CannotFit,
                $"it needs {lacking.Version}, but {system.Path} goes up to {system.Highest ?? "nothing"}; "
                + "the program will not load torch here.", lacking);
        }

        if (spare.IsWeak)
            return new ShimFindings(ShimState.Marked, $"it asks for {SpareVersion} weakly already.", spare);
        if (system.Defines(SpareVersion))
            return new ShimFindings(ShimState.FitsAsItIs, $"{system.Path} has {SpareVersion}.", spare);
        if (needs.FindRelocatedSymbol(spare) is { } symbol)
        {
            return new ShimFindings(ShimState.CannotFit,
                $"it uses {symbol} of {SpareVersion}, which {system.Path} lacks; "
                + "the program will not load torch here.", spare);
        }
        return new ShimFindings(ShimState.NeedsMark,
            $"it asks for {SpareVersion} but uses nothing of it, and {system.Path} goes up to "
            + $"{system.Highest ?? "nothing"}.", spare);
    }
}
