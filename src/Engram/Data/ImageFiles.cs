namespace Engram.Data;

/// <summary>Images that stay on disk: each is decoded when it is asked for, so that a set of any size costs no memory.</summary>
public sealed class ImageFiles : ISampleSource
{
    private readonly string[] _paths;
    private readonly int[] _codes;
    private readonly Func<string, byte[]> _decode;

    /// <summary>Creates a source; no file is opened yet.</summary>
    /// <param name="files">Path and label of each image.</param>
    /// <param name="shape">Shape of an image, <c>[channels, height, width]</c>.</param>
    /// <param name="decode">Reads a file as bytes in that shape; called by whichever thread asks for samples.</param>
    /// <exception cref="ArgumentException">No file, or a shape that is none.</exception>
    public ImageFiles(IReadOnlyList<(string Path, Label Label)> files, IReadOnlyList<long> shape, Func<string, byte[]> decode)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(decode);
        if (files.Count == 0) throw new ArgumentException("files: none, expected one or more", nameof(files));
        if (shape.Count == 0 || shape.Any(size => size < 1))
            throw new ArgumentException($"shape: [{string.Join(", ", shape)}], expected positive sizes", nameof(shape));
        (InputShape, _decode, _paths) = ([.. shape], decode, [.. files.Select(file => file.Path)]);
        Labels = Label.Distinct(files.Select(file => file.Label));
        var codeOf = Labels.Select((label, code) => (label, code)).ToDictionary(pair => pair.label, pair => pair.code);
        _codes = [.. files.Select(file => codeOf[file.Label])];
    }

    /// <inheritdoc/>
    public int Count => _paths.Length;

    /// <inheritdoc/>
    public IReadOnlyList<long> InputShape { get; }

    /// <inheritdoc/>
    public ScalarType InputType => ScalarType.Byte;

    /// <inheritdoc/>
    public TargetKind TargetKind => TargetKind.Classes;

    /// <inheritdoc/>
    public IReadOnlyList<Label> Labels { get; }

    /// <inheritdoc/>
    public ReadOnlyMemory<int> Codes => _codes;

    /// <inheritdoc/>
    public Batch Gather(ReadOnlySpan<long> indices)
    {
        var size = (int)InputShape.Aggregate(1L, (product, side) => product * side);
        var (pixels, codes) = (new byte[indices.Length * size], new long[indices.Length]);
        for (var i = 0; i < indices.Length; i++)
        {
            var path = _paths[indices[i]];
            var image = _decode(path);
            if (image.Length != size)
                throw new InvalidDataException($"{path}: {image.Length} bytes, expected {size} of [{string.Join(", ", InputShape)}]");
            image.CopyTo(pixels, i * size);
            codes[i] = _codes[indices[i]];
        }
        return new Batch(tensor(pixels, [indices.Length, .. InputShape], ScalarType.Byte), tensor(codes));
    }
}
