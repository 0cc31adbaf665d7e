using Microsoft.Build.Framework;

namespace Engram.Build;

/// <summary>
/// Lets copies of TorchSharp's native shim load on systems whose libstdc++ is older than the shim asks for,
/// by marking one unused version request weak. Does nothing on newer systems and nothing the second time.
/// </summary>
/// <remarks>
/// A changed copy is written to a temporary file beside it and renamed over it: a hard or symbolic link to the
/// package cache is replaced by a file of its own, and a program that runs keeps the file it has open.
/// The copy keeps its source's time stamp and size, so that an incremental build sees it as up to date.
/// </remarks>
public sealed class MakeShimLoadable : Microsoft.Build.Utilities.Task
{
    /// <summary>Code of the warning for a shim that stays as it is although it may not load.</summary>
    public const string WarningCode = "ENGRAM0001";

    /// <summary>The copies to look at; those that are not there are passed over.</summary>
    [Required]
    public ITaskItem[] Shims { get; set; } = [];

    /// <summary>The C++ library to judge by; the system's own if empty.</summary>
    public string LibStdCxx { get; set; } = "";

    /// <inheritdoc />
    public override bool Execute()
    {
        foreach (ITaskItem item in Shims)
        {
            string path = item.GetMetadata("FullPath");
            if (!File.Exists(path)) continue;
            try
            {
                Adapt(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or BadImageFormatException)
            {
                Warn($"{path}: left alone: {e.Message}");
            }
        }
        return !Log.HasLoggedErrors;
    }

    private void Adapt(string path)
    {
        SystemCxxLibrary? system = LibStdCxx.Length > 0 ? SystemCxxLibrary.Read(LibStdCxx) : SystemCxxLibrary.Find();
        byte[] file = File.ReadAllBytes(path);
        ShimFindings findings = TorchShim.Examine(file, system);
        if (findings is { State: ShimState.NeedsMark, Need: { } need })
            Replace(path, ElfVersionNeeds.MarkWeak(file, need));

        string done = findings.State == ShimState.NeedsMark ? "marked" : "left alone";
        string message = $"{path}: {done}: {findings.Message}";
        if (findings.State is ShimState.CannotFit or ShimState.Unknown) Warn(message);
        else Log.LogMessage(MessageImportance.Normal, "{0}", message);
    }

    private static void Replace(string path, byte[] content)
    {
        // A symbolic link's time and mode are not its target's.
        string original = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            File.WriteAllBytes(temporary, content);
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(temporary, File.GetUnixFileMode(original));
            File.SetLastWriteTimeUtc(temporary, File.GetLastWriteTimeUtc(original));
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private void Warn(string message) =>
        Log.LogWarning(null, WarningCode, null, null, 0, 0, 0, 0, "{0}", message);
}
