using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using static TorchSharp.torch;

namespace Engram.Conformance;

/// <summary>
/// Bytes that a mechanism keeps from being freed, measured: every tensor that can be reached from it, as the memory it lies in, so
/// that views count once; and every array of numbers. What belongs to the learner (its model, arena and context) is not counted.
/// </summary>
internal sealed class HeldBytes
{
    private readonly HashSet<object> _seen = new(ReferenceEqualityComparer.Instance);
    private readonly List<(nint From, nint To)> _tensors = [];
    private long _numbers;

    /// <summary>Measures.</summary>
    /// <param name="mechanism">One of the learner's.</param>
    /// <param name="learner">The learner.</param>
    /// <returns>Bytes of tensors, and of arrays of numbers: indices and counts beside the samples.</returns>
    public static (long Tensors, long Numbers) Of(RetentionMechanism mechanism, Learner learner)
    {
        var own = new HeldBytes();
        own._seen.Add(learner);
        own._seen.Add(learner.Context);
        var model = new HeldBytes();
        model.Add(learner.Context.Arena);
        model.Add(learner.Context.Model);
        own.Walk(mechanism);
        return (Length(own._tensors.Concat(model._tensors)) - Length(model._tensors), own._numbers);
    }

    private static long Length(IEnumerable<(nint From, nint To)> areas)
    {
        var (length, end) = (0L, (nint)0);
        foreach (var (from, to) in areas.Order())
        {
            length += Math.Max(0, to - (from > end ? from : end));
            end = to > end ? to : end;
        }
        return length;
    }

    private void Walk(object? root)
    {
        var waiting = new Stack<object?>([root]);
        while (waiting.TryPop(out var item))
        {
            if (item is null or string or Delegate or Type or Pointer || item.GetType().IsPrimitive || item.GetType().IsEnum) continue;
            if (!item.GetType().IsValueType && !_seen.Add(item)) continue;
            if (Add(item)) continue;
            if (item is Array array)
            {
                if (array.GetType().GetElementType() is { IsPrimitive: true }) _numbers += Buffer.ByteLength(array);
                else foreach (var element in array) waiting.Push(element);
                continue;
            }
            for (var at = item.GetType(); at is not null; at = at.BaseType)
                foreach (var field in at.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                    if (!field.FieldType.IsPointer) waiting.Push(field.GetValue(item));
        }
    }

    // True for what is a leaf here.
    private bool Add(object item)
    {
        switch (item)
        {
            case Tensor tensor:
                AddTensor(tensor);
                return true;
            case ParameterArena arena:
                AddTensor(arena.Values); // its gradient is working space, as the model's is
                return true;
            case nn.Module module:
                foreach (var tensor in module.parameters().Cast<Tensor>().Concat(module.buffers())) AddTensor(tensor);
                return true;
            case LearningContext or Learner or ISampleSource: // the learner's and the caller's
            case CosineCodec: // its basis follows from the shape of an image: working space
                return true;
            default:
                return false;
        }
    }

    private void AddTensor(Tensor tensor)
    {
        if (tensor.IsInvalid || tensor.numel() == 0) return; // what a step left behind and its scope has freed
        using var scope = NewDisposeScope();
        var bytes = tensor.detach().as_strided([tensor.numel()], [1], tensor.storage_offset()).bytes;
        var start = Unsafe.ByteOffset(ref Unsafe.NullRef<byte>(), ref MemoryMarshal.GetReference(bytes));
        _tensors.Add((start, start + bytes.Length));
    }
}
