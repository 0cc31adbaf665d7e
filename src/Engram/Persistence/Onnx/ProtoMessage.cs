using Google.Protobuf;

namespace Engram.Persistence.Onnx;

/// <summary>One message of protocol buffers while it is being written: fields by number, in the order of the calls.</summary>
/// <remarks>
/// ONNX needs a dozen fields of seven messages, so they are written by number (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto)
/// instead of through thousands of generated lines.
/// </remarks>
internal sealed class ProtoMessage
{
    private readonly MemoryStream _bytes = new();
    private readonly CodedOutputStream _out;

    public ProtoMessage() => _out = new CodedOutputStream(_bytes, leaveOpen: true);

    public ProtoMessage Number(int field, long value)
    {
        _out.WriteTag(field, WireFormat.WireType.Varint);
        _out.WriteInt64(value);
        return this;
    }

    public ProtoMessage Numbers(int field, IEnumerable<long> values)
    {
        foreach (var value in values) Number(field, value);
        return this;
    }

    public ProtoMessage Float(int field, float value)
    {
        _out.WriteTag(field, WireFormat.WireType.Fixed32);
        _out.WriteFloat(value);
        return this;
    }

    public ProtoMessage Text(int field, string value)
    {
        _out.WriteTag(field, WireFormat.WireType.LengthDelimited);
        _out.WriteString(value);
        return this;
    }

    public ProtoMessage Texts(int field, IEnumerable<string> values)
    {
        foreach (var value in values) Text(field, value);
        return this;
    }

    public ProtoMessage Bytes(int field, ReadOnlySpan<byte> value)
    {
        _out.WriteTag(field, WireFormat.WireType.LengthDelimited);
        _out.WriteLength(value.Length);
        _out.Flush();
        _bytes.Write(value);
        return this;
    }

    public ProtoMessage Message(int field, ProtoMessage inner)
    {
        inner._out.Flush();
        return Bytes(field, inner._bytes.GetBuffer().AsSpan(0, (int)inner._bytes.Length));
    }

    public void CopyTo(Stream stream)
    {
        _out.Flush();
        _bytes.WriteTo(stream);
    }
}
