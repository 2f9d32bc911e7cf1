//! A form that is sent to the server: its text stays when it is refused, and errors stand at their fields.

import { useRef, useState } from './preact.js';
import { conflictAtField } from './failure.js';

/** `fields` are the values to begin with. `submit(values)` sends them, and throws a Failure if it is refused. With
 * `overlaps` the form may be sent again while it is on its way. */
export function useForm(fields, submit, { overlaps = false } = {}) {
  const [values, setValues] = useState(fields);
  const [failure, setFailure] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const form = useRef(null);

  const field = (name) => ({
    name,
    value: values[name],
    error: failure?.fields[name],
    onInput: ({ currentTarget }) => {
      const { value } = currentTarget;
      setValues((now) => ({ ...now, [name]: value }));
    },
  });

  const onSubmit = async (event) => {
    event.preventDefault();
    if (isBusy) return;
    setBusy(!overlaps);
    try {
      await submit(values);
      setFailure(null);
    } catch (cause) {
      if (!cause.fields) throw cause;
      setFailure(conflictAtField(cause, Object.keys(fields)));
      // The first field that is to be changed, once it is marked.
      requestAnimationFrame(() => form.current?.querySelector('[aria-invalid]')?.focus());
    } finally {
      setBusy(false);
    }
  };

  /** A failure that no field shows. */
  const isShownAtFields = failure && Object.keys(failure.fields).some((name) => name in fields);
  return {
    field,
    values,
    setValues,
    reset: () => {
      setValues(fields);
      setFailure(null);
    },
    form: { ref: form, onSubmit, noValidate: true },
    failure,
    rest: isShownAtFields ? null : failure,
    isBusy,
  };
}
