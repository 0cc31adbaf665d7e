namespace Engram.Tests.Fuzz;

/// <summary>A format under test. A new format (YAML, say) is one class and one line in <see cref="FuzzTargets.All"/>.</summary>
/// <param name="name">For the report.</param>
/// <param name="share">How many of every hundred mutants, about.</param>
internal abstract class FuzzTarget(string name, int share) : IDisposable
{
    public string Name { get; } = name;

    public int Share { get; } = share;

    /// <summary>Makes the next mutant; returns the bytes that reading may allocate for: all that is read.</summary>
    public abstract long Make(Mutator mutator);

    /// <summary>Reads it: throws what is documented for bad files, or gives something valid, which it checks.</summary>
    public abstract void Read();

    /// <summary>Whether the format's documentation names this exception.</summary>
    public virtual bool IsDocumented(Exception problem) => problem is InvalidDataException;

    /// <summary>Whether it looks for leaks itself, because it builds modules.</summary>
    public virtual bool CountsItsTensors => false;

    public virtual void Dispose() { }
}

/// <summary>A format whose mutants are one file.</summary>
internal abstract class FileTarget(string name, int share, string extension) : FuzzTarget(name, share)
{
    private readonly string _path = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(),
        $"engram-fuzz-{Environment.ProcessId}-{name}{extension}");

    public sealed override long Make(Mutator mutator)
    {
        var mutant = Mutant(mutator);
        File.WriteAllBytes(_path, mutant);
        return mutant.Length;
    }

    public sealed override void Read() => Read(_path);

    public sealed override void Dispose() => File.Delete(_path);

    protected abstract byte[] Mutant(Mutator mutator);

    protected abstract void Read(string path);
}
