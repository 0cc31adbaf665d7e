using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace Engram.Persistence;

/// <summary>Writes a file whole or not at all: a reader sees the old content or the new, never a part.</summary>
/// <remarks>
/// The content goes to <c>&lt;name&gt;.&lt;random&gt;.tmp</c> in the same folder, is flushed to the disk and renamed over the
/// target; then the folder is flushed too, where the system allows it, so that the rename survives a power cut.
/// </remarks>
public static partial class AtomicFile
{
    private static readonly int[] s_failures = [5, 28, 122]; // EIO, ENOSPC, EDQUOT of Linux

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
            Flushed?.Invoke(temporary);
            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            DeleteQuietly(temporary);
            throw;
        }
        FlushFolder(Path.GetDirectoryName(target)!);
    }

    /// <summary>Replaces <paramref name="path"/> by <paramref name="content"/>.</summary>
    /// <param name="path">The file to create or replace; its folder exists.</param>
    /// <param name="content">The whole content.</param>
    /// <returns>The file's full path.</returns>
    /// <exception cref="IOException">The folder cannot be written to, or is full; the old file is untouched.</exception>
    public static string Write(string path, byte[] content)
    {
        Write(path, stream => stream.Write(content));
        return Path.GetFullPath(path);
    }

    /// <summary>Replaces <paramref name="path"/> by <paramref name="text"/> in UTF-8.</summary>
    /// <param name="path">The file to create or replace; its folder exists.</param>
    /// <param name="text">The whole text.</param>
    /// <returns>The file's full path.</returns>
    /// <exception cref="IOException">The folder cannot be written to, or is full; the old file is untouched.</exception>
    public static string Write(string path, string text) => Write(path, Encoding.UTF8.GetBytes(text));

    /// <summary>Removes what writers that were killed left in a folder; no writer may be at work in it.</summary>
    /// <param name="folder">The folder; those in it are not looked into.</param>
    public static void Sweep(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder).Where(path => Temporary().IsMatch(path))) DeleteQuietly(file);
    }

    /// <summary>Creates a folder and those above it that are missing, so that they outlive a power cut as what is written into them does.</summary>
    /// <param name="path">The folder; nothing happens where it exists.</param>
    /// <exception cref="IOException">A folder above cannot be written to.</exception>
    public static void CreateFolder(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Directory.Exists(folder)) return;
        var above = Path.GetDirectoryName(folder);
        if (above is not null) CreateFolder(above);
        Directory.CreateDirectory(folder);
        if (above is not null) FlushFolder(above);
    }

    /// <summary>For tests: told on this thread of every file and folder that was flushed, when it was.</summary>
    [field: ThreadStatic]
    internal static event Action<string>? Flushed;

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

    /// <summary>Has a folder's list of files on the disk: what was renamed into it survives a power cut.</summary>
    /// <param name="folder">The folder; a file system that cannot flush one loses nothing but the promise about power cuts.</param>
    /// <exception cref="IOException">The disk fails or is full.</exception>
    public static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = Open(folder, 0);
        if (descriptor < 0)
        {
            Expect(folder);
            return;
        }
        try
        {
            if (Flush(descriptor) != 0) Expect(folder);
            else Flushed?.Invoke(folder);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    // A folder that may not be read, or a file system without the call, is no failure; a disk that fails is one.
    private static void Expect(string folder)
    {
        var error = Marshal.GetLastPInvokeError();
        if (s_failures.Contains(error))
            throw new IOException($"{folder}: not flushed to the disk ({Marshal.GetPInvokeErrorMessage(error)})", error);
    }

    // As Path.GetRandomFileName makes names.
    [GeneratedRegex(@"\.[a-z0-9]{8}\.[a-z0-9]{3}\.tmp$")]
    private static partial Regex Temporary();

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Flush(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
