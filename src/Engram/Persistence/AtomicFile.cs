using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace Engram.Persistence;

/// <summary>Writes a file whole or not at all: a reader sees the old content or the new, never a part.</summary>
/// <remarks>
/// The content goes to <c>&lt;name&gt;.&lt;random&gt;.tmp</c> in the same folder, is flushed to the disk and renamed over the
/// target; then the folder is flushed too, where the system allows it, so that the rename survives a power cut.
/// </remarks>
public static partial class AtomicFile
{
    /// <summary>Replaces <paramref name="path"/> by what <paramref name="write"/> writes.</summary>
    /// <param name="path">The file to create or replace; its folder exists.</param>
    /// <param name="write">Writes the whole content; may seek. When it throws, the old file stays and no temporary one.</param>
    /// <exception cref="IOException">The folder cannot be written to, or is full; the old file is untouched.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        var target = Path.GetFullPath(path);
        var temporary = $"{target}.{Path.GetRandomFileName()}.tmp";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            DeleteQuietly(temporary);
            throw;
        }
        FlushFolder(Path.GetDirectoryName(target)!);
    }

    /// <summary>Removes what writers that were killed left in a folder; no writer may be at work in it.</summary>
    /// <param name="folder">The folder; those in it are not looked into.</param>
    public static void Sweep(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder).Where(path => Temporary().IsMatch(path))) DeleteQuietly(file);
    }

    // The first failure is the one to report, not that of cleaning up after it.
    internal static void DeleteQuietly(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
        }
    }

    // .NET opens no folders; a file system that cannot flush one loses nothing but the promise about power cuts.
    internal static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = Open(folder, 0);
        if (descriptor < 0) return;
        _ = Flush(descriptor);
        _ = Close(descriptor);
    }

    // As Path.GetRandomFileName makes names.
    [GeneratedRegex(@"\.[a-z0-9]{8}\.[a-z0-9]{3}\.tmp$")]
    private static partial Regex Temporary();

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Flush(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
