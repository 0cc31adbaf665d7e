using System.Diagnostics;
using System.Text;
using Engram.Persistence;
using static TorchSharp.torch;

namespace Engram.Tests.Persistence;

public class SafetensorsFileTests
{
    private const string PythonReader = """
        import json, struct, sys
        raw = open(sys.argv[1], 'rb').read()
        n = struct.unpack('<Q', raw[:8])[0]
        header = json.loads(raw[8:8 + n])
        assert (8 + n) % 8 == 0 and raw[8:9] == b'{'
        meta = header.pop('__metadata__')
        data, size = raw[8 + n:], {'F64': 8, 'F32': 4, 'I64': 8, 'U8': 1}
        end = 0
        for name, t in sorted(header.items(), key=lambda i: i[1]['data_offsets']):
            a, b = t['data_offsets']
            count = 1
            for s in t['shape']: count *= s
            assert a == end and b - a == count * size[t['dtype']] and a % size[t['dtype']] == 0, name
            end = b
        assert end == len(data)
        a, b = header['weights']['data_offsets']
        print(meta['by'], header['weights']['shape'], struct.unpack('<6f', data[a:b]))
        """;

    // As the reference implementation lays files out, by its specification.
    private const string PythonWriter = """
        import json, struct, sys
        tensors = [('w', 'F32', [2, 3], struct.pack('<6f', 1, -2, 0.5, 3, 4, 5)), ('count', 'I64', [], struct.pack('<q', 7)),
                   ('mask', 'BOOL', [3], bytes([1, 0, 1])), ('none', 'F16', [0, 4], b'')]
        header, data = {'__metadata__': {'by': 'python'}}, b''
        for name, dtype, shape, raw in tensors:
            header[name] = {'dtype': dtype, 'shape': shape, 'data_offsets': [len(data), len(data) + len(raw)]}
            data += raw
        text = json.dumps(header).encode()
        text += b' ' * (-len(text) % 8)
        open(sys.argv[1], 'wb').write(struct.pack('<Q', len(text)) + text + data)
        """;

    private static Dictionary<string, Tensor> Sample() => new()
    {
        ["weights"] = tensor(new[] { 1f, -2, 0.5f, 3, 4, 5 }).view(2, 3),
        ["bytes"] = tensor(new byte[] { 1, 2, 3 }),
        ["step"] = tensor(7L),
        ["ünïcode \"name\""] = tensor(new[] { 1.5, -0.0 }),
        ["empty"] = zeros(0, 5),
    };

    private static byte[] Bytes(IReadOnlyDictionary<string, Tensor> tensors)
    {
        using var stream = new MemoryStream();
        SafetensorsFile.Write(stream, tensors, new Dictionary<string, string> { ["by"] = "engram" });
        return stream.ToArray();
    }

    private static Dictionary<string, Tensor> Read(byte[] bytes) => SafetensorsFile.Read(new MemoryStream(bytes), "file");

    private static byte[] WithHeader(string header, int data)
    {
        var text = Encoding.UTF8.GetBytes(header);
        return [.. BitConverter.GetBytes((ulong)text.Length), .. text, .. new byte[data]];
    }

    [Theory]
    [InlineData(ScalarType.Float32), InlineData(ScalarType.Float64), InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16), InlineData(ScalarType.Byte), InlineData(ScalarType.Int8), InlineData(ScalarType.Int16)]
    [InlineData(ScalarType.Int32), InlineData(ScalarType.Int64), InlineData(ScalarType.Bool)]
    public void Every_element_type_comes_back_bit_by_bit(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var original = tensor(new[] { 0f, 1, 1, 0, 1, 0 }).to(type).view(3, 2).t(); // not contiguous
        var back = Read(Bytes(new Dictionary<string, Tensor> { ["x"] = original }))["x"];
        Assert.Equal(type, back.dtype);
        Assert.Equal(original.shape, back.shape);
        Assert.True(original.equal(back).all().item<bool>());
    }

    [Fact]
    public void Equal_tensors_give_equal_bytes_whatever_the_order_they_came_in()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(Bytes(Sample()), Bytes(Sample().Reverse().ToDictionary()));
    }

    [Fact]
    public void A_reader_written_from_the_specification_in_Python_reads_what_we_write()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["x.safetensors"], Bytes(Sample()));
        var output = Python(PythonReader, folder["x.safetensors"]);
        Assert.Equal("engram [2, 3] (1.0, -2.0, 0.5, 3.0, 4.0, 5.0)", output.Trim());
    }

    [Fact]
    public void A_file_written_from_the_specification_in_Python_opens_here()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Python(PythonWriter, folder["x.safetensors"]);
        var tensors = SafetensorsFile.Read(folder["x.safetensors"]);
        Assert.Equal(["count", "mask", "none", "w"], tensors.Keys.Order());
        Assert.Equal([2, 3], tensors["w"].shape);
        Assert.Equal([1f, -2, 0.5f, 3, 4, 5], tensors["w"].data<float>().ToArray());
        Assert.Equal(7, tensors["count"].item<long>());
        Assert.Equal([true, false, true], tensors["mask"].data<bool>().ToArray());
        Assert.Equal((ScalarType.Float16, 0), (tensors["none"].dtype, tensors["none"].numel()));
        Assert.Equal("python", SafetensorsFile.Inspect(folder["x.safetensors"]).Metadata["by"]);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "tensor a: F32 [2]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "tensor a: begins at byte 4, expected 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}""", 6, "tensor b: begins at byte 2")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 5, "5 bytes of data, expected 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 0, "0 bytes of data, expected 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", 0, "expected fewer elements")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0,4611686018427387904],"data_offsets":[0,0]}}""", 0, "expected fewer elements")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "whole numbers from 0")]
    [InlineData("""{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}""", 4, "dtype F99")]
    [InlineData("""{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}""", 0, "occurs twice")]
    [InlineData("""{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}}""", 0, "field x")]
    [InlineData("""{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}} garbage""", 1, "no JSON")]
    [InlineData("""{"\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}""", 0, "no JSON")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "expected strings")]
    [InlineData("""[]""", 0, "does not begin with {")]
    [InlineData("""{"a":""", 0, "no JSON")]
    public void A_header_that_lies_is_refused_by_name(string header, int data, string message) =>
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => Read(WithHeader(header, data))).Message);

    [Fact]
    public void Bytes_that_are_no_text_hostile_lengths_and_truth_values_of_2_are_refused()
    {
        Assert.Contains("UTF-8", Assert.Throws<InvalidDataException>(() =>
            Read([.. BitConverter.GetBytes(4UL), (byte)'{', (byte)'"', 0xff, (byte)'"'])).Message);
        Assert.Contains("header of", Assert.Throws<InvalidDataException>(() =>
            Read([.. BitConverter.GetBytes(ulong.MaxValue), (byte)'{', (byte)'}'])).Message);
        Assert.Contains("expected 8 or more", Assert.Throws<InvalidDataException>(() => Read([1, 2])).Message);
        var file = WithHeader("""{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}""", 1);
        file[^1] = 2;
        Assert.Contains("tensor a: a truth value", Assert.Throws<InvalidDataException>(() => Read(file)).Message);
    }

    [Fact]
    public void An_element_type_that_the_format_lacks_is_refused_before_anything_is_written()
    {
        using var scope = NewDisposeScope();
        using var stream = new MemoryStream();
        var tensors = new Dictionary<string, Tensor> { ["z"] = zeros(2, ScalarType.ComplexFloat32) };
        Assert.Contains("z: ComplexFloat32", Assert.Throws<ArgumentException>(() => SafetensorsFile.Write(stream, tensors)).Message);
        Assert.Equal(0, stream.Length);
    }

    // Only the standard library of Python is needed.
    private static string Python(string program, string path)
    {
        var start = new ProcessStartInfo("python3", ["-c", program, path]) { RedirectStandardOutput = true, RedirectStandardError = true };
        Process? python = null;
        try
        {
            python = Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("python3 is not installed");
        }
        using (python)
        {
            var (output, errors) = (python!.StandardOutput.ReadToEnd(), python.StandardError.ReadToEnd());
            python.WaitForExit();
            Assert.True(python.ExitCode == 0, errors);
            return output;
        }
    }
}
